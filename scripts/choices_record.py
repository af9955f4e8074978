"""The record that choices are measured on, fits on it, and the two processes that compute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from skfolio.datasets import load_sp500_dataset
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from acceleray.quant.garch import GjrFit
from acceleray.settings.sections import Calibration, MarketData, Risk
from acceleray.stages.calibrate.fits import fit_before

PROCESSES = 2
SEED = 20_260_101
CALIBRATION, RISK = Calibration(), Risk()

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Record:
    """Daily prices without gaps: dates (days,), prices (days, names).

    ``returns`` (days - 1, names) are simple; row t is known on ``dates[t + 1]``.
    """

    names: tuple[str, ...]
    dates: NDArray[np.datetime64]
    prices: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Return simple returns from day to day."""
        return np.asarray(self.prices[1:] / self.prices[:-1] - 1.0)


def record() -> Record:
    """Return the sample: twenty names, 1990 to 2022."""
    prices = load_sp500_dataset()
    dates = prices.index.to_numpy().astype("datetime64[D]")
    return Record(tuple(map(str, prices.columns)), dates, prices.to_numpy(dtype=np.float64))


def fits_before(first: int, returns: NDArray[np.float64]) -> tuple[GjrFit, ...]:
    """Return the fit of every name on days before `first`, with the settings as shipped."""
    window, minimum, stale = CALIBRATION.window_d, CALIBRATION.minimum_history_d, MarketData().stale_after_d
    columns = range(returns.shape[1])
    return tuple(fit_before((first, column), returns, window, minimum, stale) for column in columns)


def computed(work: Callable[[Task], Result], tasks: Sequence[Task], what: str) -> list[Result]:
    """Return the work on each task, in their order, from `PROCESSES` processes; progress goes to stderr."""
    spawned = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, spawned, _one_thread) as pool:
        return list(_told(pool.map(work, tasks), len(tasks), what))


def _told(results: Iterable[Result], count: int, what: str) -> Iterable[Result]:
    for done, result in enumerate(results, start=1):
        if done % max(1, count // 10) == 0 or done == count:
            sys.stderr.write(f"{done} of {count} {what}\n")
        yield result


def _one_thread() -> None:
    threadpool_limits(1)
