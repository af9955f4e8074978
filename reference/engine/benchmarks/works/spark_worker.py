"""Set up a Python worker of Spark as an expert does, so that many small tasks cost little."""

from __future__ import annotations

import gc
from functools import lru_cache


@lru_cache(maxsize=1)
def settled() -> None:
    """Leave what is loaded out of garbage collections from now on; call it first in a task.

    Spark's daemon collects garbage after each task. With the libraries of this project loaded that walks some
    190,000 objects and takes a tenth of a second, as long as several fits; a worker does this once instead.
    """
    gc.collect()
    gc.freeze()
