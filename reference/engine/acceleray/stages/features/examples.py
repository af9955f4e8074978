"""Labelled examples for models: features and targets that were known at the as-of date."""

from __future__ import annotations

import numpy as np

from acceleray.engines.handoff.arrays import column
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run


def load_examples(run: Run) -> Examples:
    """Return all rows whose target was known at the as-of date.

    The target of day t looks `features.horizon_d` trading days ahead, so the last such days are left out even
    if the table, written with later prices, knows them.
    """
    names = run.project.feature_names()
    wanted = ("date", "instrument_id", *names, "forward_return", "target")
    rows = run.arrow(run.project.features_table(), wanted, f"date <= DATE'{run.as_of}'")
    every = np.unique(column(rows, "date"))
    known = every[: -run.settings.features.horizon_d]
    target, date = column(rows, "target"), column(rows, "date")
    keep = np.isfinite(target) & np.isin(date, known)
    dates, position = np.unique(date[keep], return_inverse=True)
    instruments, place = np.unique(column(rows, "instrument_id").astype(str), return_inverse=True)
    return Examples(
        features=np.column_stack([column(rows, name)[keep] for name in names]),
        target=target[keep],
        forward_return=column(rows, "forward_return")[keep],
        date=position,
        instrument=place[keep],
        dates=dates,
        instruments=tuple(str(name) for name in instruments),
    )
