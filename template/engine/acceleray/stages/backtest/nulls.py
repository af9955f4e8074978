"""The law of every test where the model is right, for each model: records simulated on Ray."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.null_record import NullLaw, NullRecords, batches, simulate_records
from acceleray.quant.student_tail import degrees_of_freedom
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import MODELS, WITHOUT_WINDOW

# A law, a batch of its records, and the position of its forecasts.
Task = tuple[NullLaw, tuple[int, int], int]


def laws(forecasts: NDArray[np.float64], risk: Risk, window: int, before: int) -> tuple[NullLaw, ...]:
    """Return the law of each model; its tail is that of its own forecasts, shortfall over threshold.

    Args:
        forecasts: of shape (models, 3, days), see `BlockForecasts`.
        risk: the confidence levels.
        window: days a model looks back at.
        before: days before the first forecast.
    """
    return tuple(
        NullLaw(
            days=forecasts.shape[2],
            window=0 if model in WITHOUT_WINDOW else window,
            before=min(before, window),
            nu=degrees_of_freedom(_ratio(threshold, shortfall), risk.es_confidence),
            var_confidence=risk.var_confidence,
            es_confidence=risk.es_confidence,
        )
        for model, (_, threshold, shortfall) in zip(MODELS, forecasts, strict=True)
    )


def tasks(every: Sequence[NullLaw], records: int) -> list[Task]:
    """Return the batches of all laws, one task each."""
    return [(law, batch, place) for place, law in enumerate(every) for batch in batches(records)]


def records_of(task: Task, forecasts: NDArray[np.float64], seed: int) -> NullRecords:
    """Return the records of one batch; forecasts of value-at-risk are of shape (models, days)."""
    law, batch, place = task
    return simulate_records(batch, law, forecasts[place], seed)


def gathered(found: Iterable[NullRecords], records: int) -> dict[str, NullRecords]:
    """Return the records of each model out of the results of all tasks, in their order."""
    results, each = iter(found), len(batches(records))
    return {model: NullRecords.joined(list(islice(results, each))) for model in MODELS}


def _ratio(threshold: NDArray[np.float64], shortfall: NDArray[np.float64]) -> float:
    # Of sums, so that a day on which hardly anything is at risk weighs as little as it matters.
    return max(float(shortfall.sum() / max(float(threshold.sum()), 1e-300)), 1.0 + 1e-9)
