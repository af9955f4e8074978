"""The `portfolio` command with other numbers of things that are worked on together: they change no table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from portfolio.__main__ import main

# Parts of 20 fits are kept instead of 100, the backtest reads those of one day at a time instead of 10,000,
# and betas are estimated by two; portfolios stay in an actor for each 32, through which scenarios go atom by
# atom, instead of being searched by tasks of 128 that get all scenarios at once.
SIZES = {
    "acceleray.stages.calibrate.schedule": {"PART": 20},
    "acceleray.stages.backtest.history": {"FITS": 1},
    "acceleray.stages.calibrate.factor_model": {"_INSTRUMENTS_PER_TASK": 2},
    "acceleray.stages.simulate.tiles": {
        **{"_AT_ONCE_NUMBERS": 1, "_PART_NUMBERS": 1, "_SEGMENT_NUMBERS": 1},
        **{"TILE": 32, "_KEPT": 32},
    },
}


def others() -> Iterator[tuple[ModuleType, str, int]]:
    """Yield where the driver reads each size, its name, and the other size; each must be there."""
    for name, sizes in SIZES.items():
        # A project has the stages that its workloads need.
        if find_spec(name.rpartition(".")[0]):
            module = import_module(name)
            for constant, size in sizes.items():
                assert getattr(module, constant) != size
                yield module, constant, size


if __name__ == "__main__":
    for place in others():
        setattr(*place)
    sys.exit(main())
