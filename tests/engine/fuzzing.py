"""How many examples a test draws by hypothesis: some in every run, all in the night."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

# Set by conftest.py where nightly tests are left out.
QUICK = "TESTS_ARE_QUICK"


def drawing(night: int, quick: int) -> Any:
    """Return a decorator by which a test draws the same examples everywhere, fewer in a quick run."""
    # Nothing is written below tests/.
    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hypothesis")
    return settings(
        database=None,
        derandomize=True,
        deadline=None,
        max_examples=quick if os.environ.get(QUICK) else night,
        # The folder of a fixture is written again for each of them.
        suppress_health_check=list(HealthCheck),
    )
