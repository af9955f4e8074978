"""The law of every test where the model is right, for each series of forecasts: records simulated on Ray.

Series of the same length, look-back and tail have the same law, and share its records. What lies before the
last refresh is the same tomorrow, and is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.null_path import BATCH, NullLaw, NullPath, follow
from acceleray.quant.null_record import NullRecords, records_of
from acceleray.quant.student_tail import degrees_of_freedom
from acceleray.runtime.content import content_key
from acceleray.runtime.shelf import Kind
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import MODELS, WITHOUT_WINDOW
from acceleray.stages.backtest.packing import packed, unpacked

# A law up to its last refresh, and a batch of its records.
Task = tuple[NullLaw, int]


def laws(
    forecasts: NDArray[np.float64], risk: Risk, window: int, before: int, models: Sequence[str] = MODELS
) -> tuple[NullLaw, ...]:
    """Return the law of each model; its tail is that of its forecasts, shortfall over threshold.

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


def needed(every: Sequence[NullLaw], records: int) -> list[Task]:
    """Return the paths that so many records of each law need, one task each; a path is followed once.

    In this order neighbours share what no tail decides (see `quant.null_path`).
    """
    begun = sorted({law.begun for law in every}, key=lambda law: (law.days, law.window, law.before, law.nu))
    return [(law, batch) for batch in range(-(-records // BATCH)) for law in begun]


def judged_by(
    every: Sequence[NullLaw],
    forecasts: Sequence[NDArray[np.float64]],
    records: int,
    paths: Mapping[Task, NullPath],
    seed: int,
) -> list[NullRecords]:
    """Return so many records for each series; series of one law share all but the dynamic quantile test.

    `forecasts` are of value-at-risk, (days,) each, in the order of the laws; `paths` has all that are needed.
    """
    sharing: dict[NullLaw, list[int]] = {}
    for place, law in enumerate(every):
        sharing.setdefault(law, []).append(place)
    found: dict[int, NullRecords] = {}
    for law, places in sharing.items():
        own = [paths[law.begun, batch] for batch in range(-(-records // BATCH))]
        each = records_of(own, records, law, [forecasts[place] for place in places], seed)
        found.update(zip(places, each, strict=True))
    return [found[place] for place in range(len(every))]


def key_of(task: Task, seed: int) -> str:
    """Return what decides the path of one batch."""
    return content_key(*task, seed)


def as_bytes(path: NullPath) -> bytes:
    """Return a path as bytes, to the last bit."""
    first = int(path.record[0]) // BATCH * BATCH if path.record.size else 0
    counts = np.bincount(path.record - np.uint32(first), minlength=BATCH)
    # Of half the size where the days of a record fit, which are most of a path.
    short = path.day.size == 0 or int(path.day.max()) < 2**16
    day = path.day.astype(np.uint16) if short else path.day
    return packed([np.array(first), counts, day, path.exceeded, path.sums, path.edges])


def from_bytes(content: bytes) -> NullPath:
    """Return the path that `as_bytes` was given."""
    first, counts, day, *others = unpacked(content)
    record = np.repeat(np.arange(BATCH, dtype=np.uint32), counts) + np.uint32(first)
    return NullPath(record, day.astype(np.uint32), *others)


PATH = Kind("null_path", follow, as_bytes, from_bytes)
"""The paths of one batch, as they are kept for other runs."""


def _ratio(threshold: NDArray[np.float64], shortfall: NDArray[np.float64]) -> float:
    # Of sums, so that a day on which hardly anything is at risk weighs as little as it matters.
    return max(float(shortfall.sum() / max(float(threshold.sum()), 1e-300)), 1.0 + 1e-9)
