"""The law of every test where the model is right, for each series of forecasts: records simulated on Ray.

Series of the same length, look-back and tail have the same law, and share its records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.null_record import NullLaw, NullRecords, batches, simulate_shared_records
from acceleray.quant.student_tail import degrees_of_freedom
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import MODELS, WITHOUT_WINDOW

# A law, a batch of its records, and the places of the series of forecasts that share them.
Task = tuple[NullLaw, tuple[int, int], tuple[int, ...]]


def laws(
    forecasts: NDArray[np.float64], risk: Risk, window: int, before: int, models: Sequence[str] = MODELS
) -> tuple[NullLaw, ...]:
    """Return the law of each model; its tail is that of its own forecasts, shortfall over threshold.

    Args:
        forecasts: of shape (models, 3, days), see `BlockForecasts`.
        risk: the confidence levels.
        window: days a model looks back at.
        before: days before the first forecast.
        models: their names.
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
        for model, (_, threshold, shortfall) in zip(models, forecasts, strict=True)
    )


def tasks(every: Sequence[NullLaw], records: int) -> list[Task]:
    """Return the batches of all laws, one task each; a law that occurs twice is simulated once."""
    sharing: dict[NullLaw, list[int]] = {}
    for place, law in enumerate(every):
        sharing.setdefault(law, []).append(place)
    return [(law, batch, tuple(places)) for law, places in sharing.items() for batch in batches(records)]


def records_of(task: Task, forecasts: Sequence[NDArray[np.float64]], seed: int) -> list[NullRecords]:
    """Return the records of one batch for each series that shares them.

    `forecasts` are of value-at-risk, (days,) each, in the order of the laws.
    """
    law, batch, places = task
    return simulate_shared_records(batch, law, [forecasts[place] for place in places], seed)


def gathered(made: Sequence[Task], found: Iterable[list[NullRecords]]) -> list[NullRecords]:
    """Return the records of each series out of the results of all tasks, both in their order."""
    parts: dict[int, list[NullRecords]] = {}
    for (_, _, places), results in zip(made, found, strict=True):
        for place, each in zip(places, results, strict=True):
            parts.setdefault(place, []).append(each)
    return [NullRecords.joined(parts[place]) for place in range(len(parts))]


def _ratio(threshold: NDArray[np.float64], shortfall: NDArray[np.float64]) -> float:
    # Of sums, so that a day on which hardly anything is at risk weighs as little as it matters.
    return max(float(shortfall.sum() / max(float(threshold.sum()), 1e-300)), 1.0 + 1e-9)
