"""Commits that another writer of the same table overtook are tried again."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import sleep
from typing import TypeVar

from acceleray.engines.delta.delta_rs import OvertakenError
from acceleray.engines.processes.signals import text_of
from acceleray.errors import PortfolioError

T = TypeVar("T")

# How often a commit is tried again when another writer was faster, and the first wait; waits double.
_RETRIES, _WAIT_S = 5, 0.2


def retried(attempt: Callable[[], T], label: str) -> T:
    """Return what an attempt to commit to a table returns.

    Raises:
        PortfolioError: other writers were faster every time.
    """
    for retry in range(_RETRIES + 1):
        try:
            return attempt()
        except Exception as error:
            if not isinstance(error, OvertakenError) and "[DELTA_CONCURRENT_" not in text_of(error):
                raise
        if retry < _RETRIES:
            # Two writers that wait equally long would meet again.
            sleep(_WAIT_S * 2**retry * random.uniform(0.5, 1.5))
    raise PortfolioError(
        f"Other writers changed {label} during each of {_RETRIES + 1} tries to commit; run again."
    )
