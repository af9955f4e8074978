"""The out-of-sample record of each portfolio, put together from the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.backtest.blocks import MODELS, BlockForecasts

# The model behind the simulated risk; the others are there to be compared with.
HEADLINE = MODELS[-1]


@dataclass(frozen=True)
class Record:
    """Forecasts and outcomes of one portfolio, on its tested days.

    Attributes:
        portfolio_id: the portfolio.
        models: their names, all for the headline portfolio and the calibrated one for any other.
        days: dates of the forecasts.
        losses: (days,), realised, as shares of NAV.
        covered: (days,), share of gross weight behind a loss.
        forecasts: (windows, models, 3, days), see `BlockForecasts`.
        before: days of prices before the first forecast.
        left_out_d: out-of-sample days on which too little was covered.
    """

    portfolio_id: str
    models: tuple[str, ...]
    days: tuple[date, ...]
    losses: NDArray[np.float64]
    covered: NDArray[np.float64]
    forecasts: NDArray[np.float64]
    before: int
    left_out_d: int

    @property
    def calibrated(self) -> Record:
        """Return the record of the calibrated model alone."""
        return replace(self, models=(HEADLINE,), forecasts=self.forecasts[:, -1:])


def records_of(
    portfolios: Sequence[str],
    results: Sequence[BlockForecasts],
    spans: Sequence[tuple[int, int]],
    days: Sequence[date],
    windows: int,
) -> tuple[Record, ...]:
    """Return the record of each portfolio; without a tested day it has none.

    Args:
        portfolios: their names, the headline first.
        results: of the blocks, in order.
        spans: first row and row after the last of each block.
        days: dates of all rows of the blocks.
        windows: number of look-backs.
    """
    rows = np.concatenate([np.empty(0, np.int64), *(np.arange(*span) for span in spans)])
    count = len(portfolios)
    losses = _joined([each.losses for each in results], (count,))
    covered = _joined([each.covered for each in results], (count,))
    compared = _joined([each.forecasts for each in results], (windows, len(MODELS), 3))
    calibrated = _joined([each.calibrated for each in results], (count, windows, 3))
    found = []
    for place, name in enumerate(portfolios):
        tested = np.flatnonzero(np.isfinite(losses[place]) & np.isfinite(calibrated[place]).all(axis=(0, 1)))
        forecasts = compared if place == 0 else calibrated[place][:, np.newaxis]
        found.append(
            Record(
                portfolio_id=name,
                models=MODELS if place == 0 else (HEADLINE,),
                days=tuple(days[row] for row in tested.tolist()),
                losses=losses[place, tested],
                covered=covered[place, tested],
                forecasts=forecasts[..., tested],
                before=int(rows[tested[0]]) if tested.size else 0,
                left_out_d=rows.size - tested.size,
            )
        )
    return tuple(found)


def _joined(parts: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.concatenate([np.empty((*shape, 0)), *parts], axis=-1)
