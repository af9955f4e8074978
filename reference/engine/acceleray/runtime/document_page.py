"""What a run asks of a report's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from acceleray.extend import Section
from acceleray.settings import Settings


class Page(Protocol):
    """What makes a report of a run's rows: `acceleray.report.page.Page`."""

    def write(
        self,
        read: Callable[..., pa.Table],
        settings: Settings,
        path: Path,
        own: Sequence[Section] = (),
        **more: Any,
    ) -> Path:
        """Write the report to `path` and return the path."""
