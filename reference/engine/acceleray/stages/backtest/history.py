"""The calibration's schedule as the backtest sees it: blocks, and the fits of some of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import Panel, column
from acceleray.stages.backtest.blocks import Block
from acceleray.stages.calibrate.fits import FIT_COLUMNS, fits_of

# Columns of gold.calibration_history that blocks are made of.
COLUMNS = ("fitted_on", "instrument_id", *FIT_COLUMNS)
# Fits read at once, of some hundred bytes each; always those of a whole day.
FITS = 10_000

# Gives the rows of gold.calibration_history from one day to another, both included, with `COLUMNS`.
Between = Callable[[date, date], pa.Table]


class Blocks:
    """Blocks of days, each made with the fits before its first day when it is asked for.

    Asked for in order, the fits of neighbouring blocks are read together and forgotten together: memory does
    not grow with the number of blocks.
    """

    def __init__(
        self, spans: Sequence[tuple[int, int]], returns: Panel, between: Between, at_once: int | None = None
    ) -> None:
        """Keep where blocks begin and end: rows of `returns`, the second one no longer inside."""
        self._spans = spans
        self._returns = returns
        self._between = between
        self._size = max(1, (at_once or FITS) // len(returns.instruments))
        self._held: tuple[int, pa.Table] | None = None

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self._spans)

    def __getitem__(self, number: int) -> Block:
        """Return one block with its fits."""
        first, last = self._spans[number]
        rows = self._together(number // self._size)
        fitted_on = np.datetime64(self._fitted_on(first))
        own = rows.filter(column(rows, "fitted_on").astype("datetime64[D]") == fitted_on)
        fits = dict(zip(column(own, "instrument_id"), fits_of(own), strict=True))
        return Block(first, last, tuple(fits[name] for name in self._returns.instruments))

    def _together(self, place: int) -> pa.Table:
        if self._held is None or self._held[0] != place:
            spans = self._spans[place * self._size : (place + 1) * self._size]
            begin, end = self._fitted_on(spans[0][0]), self._fitted_on(spans[-1][0])
            self._held = (place, self._between(begin, end))
        return self._held[1]

    def _fitted_on(self, first: int) -> date:
        """Return the last day that a fit before row `first` could see."""
        return self._returns.day(first - 1)
