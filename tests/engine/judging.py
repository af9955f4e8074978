"""Verdicts on forecasts made by hand, with fewer simulated records than a run takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.null_path import follow
from acceleray.settings import Risk
from acceleray.settings.backtest import Backtest
from acceleray.stages.backtest import nulls
from acceleray.stages.backtest.judging import Judged, judged

TERMS = Backtest(null_records=500)


def verdicts_of(
    losses: NDArray[np.float64],
    forecasts: NDArray[np.float64],
    window: int = 2000,
    before: int = 2000,
    terms: Backtest = TERMS,
) -> dict[str, Judged]:
    """Return the verdict on each model; forecasts are of shape (models, 3, days)."""
    risk = Risk()
    laws = nulls.laws(forecasts, risk, window, before)
    paths = {task: follow(task, 7) for task in nulls.needed(laws, terms.null_records)}
    records = nulls.judged_by(laws, list(forecasts[:, 0]), terms.null_records, paths, 7)
    return judged(losses, forecasts, risk, terms, laws, records, 7)
