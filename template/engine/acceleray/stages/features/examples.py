"""Labelled examples for models: features and targets that were known at the as-of date."""

from __future__ import annotations

import numpy as np

from acceleray.engines.handoff.arrays import column, numbered
from acceleray.engines.processes.memory import give_back
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run


def load_examples(run: Run) -> Examples:
    """Return all rows whose target was known at the as-of date.

    The target of day t looks `features.horizon_d` trading days ahead, so the last such days are left out even
    if the table, written with later prices, knows them.
    """
    names = run.project.feature_names()
    wanted = ("date", "instrument_id", "forward_return", "target", *names)
    rows = run.arrow(run.project.features_table(), wanted, f"date <= DATE'{run.as_of}'")
    every, day = np.unique(column(rows, "date"), return_inverse=True)
    target, horizon_d = column(rows, "target"), run.settings.features.horizon_d
    keep = np.isfinite(target) & (day < every.size - horizon_d)
    dates, position = np.unique(day[keep], return_inverse=True)
    instruments, place = numbered(rows, "instrument_id")
    forward_return = column(rows, "forward_return")[keep]
    features = np.empty((position.size, len(names)))
    for at, name in enumerate(names):
        features[:, at] = column(rows, name)[keep]
        # Of millions of rows no feature is in memory twice.
        rows = rows.drop_columns(name)
    del rows
    give_back()
    return Examples(
        features=features,
        target=target[keep],
        forward_return=forward_return,
        date=position,
        instrument=place[keep],
        dates=every[dates],
        instruments=instruments,
    )
