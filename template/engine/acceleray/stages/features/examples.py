"""Labelled examples for models: features and targets that were known at the as-of date."""

from __future__ import annotations

import numpy as np

from acceleray.engines.handoff.arrays import column
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.tables import FEATURES

# The order of the columns is the order a model knows; it comes from the table contract alone.
FEATURE_NAMES = tuple(
    name
    for name in FEATURES.column_names
    if name not in {"source", "instrument_id", "date", "forward_return", "target"}
)


def load_examples(run: Run) -> Examples:
    """Return all rows whose target was known at the as-of date.

    The target of day t looks `features.horizon_d` trading days ahead, so the last such days are left out even
    if the table, written with later prices, knows them.
    """
    wanted = ("date", "instrument_id", *FEATURE_NAMES, "forward_return", "target")
    rows = run.arrow(FEATURES, wanted, f"date <= DATE'{run.as_of}'")
    every = np.unique(column(rows, "date"))
    known = every[: -run.settings.features.horizon_d]
    target, date = column(rows, "target"), column(rows, "date")
    keep = np.isfinite(target) & np.isin(date, known)
    dates, position = np.unique(date[keep], return_inverse=True)
    instruments, place = np.unique(column(rows, "instrument_id").astype(str), return_inverse=True)
    return Examples(
        features=np.column_stack([column(rows, name)[keep] for name in FEATURE_NAMES]),
        target=target[keep],
        forward_return=column(rows, "forward_return")[keep],
        date=position,
        instrument=place[keep],
        dates=dates,
        instruments=tuple(str(name) for name in instruments),
    )
