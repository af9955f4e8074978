"""The interface between a run and the page of its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from acceleray.extend import Section
from acceleray.settings import Settings


class Page(Protocol):
    """Writes a report from the rows of a run: `acceleray.report.page.Page`."""

    def write(
        self,
        read: Callable[..., pa.Table],
        settings: Settings,
        path: Path,
        own: Sequence[Section] = (),
        **more: Any,
    ) -> Path:
        """Write the report to `path` and return the path."""
