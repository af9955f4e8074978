"""Labelled examples for models: features and targets that were known at the as-of date."""

from __future__ import annotations

import numpy as np

from acceleray.engines.handoff.arrays import column, numbered
from acceleray.engines.processes.memory import give_back
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run

# Rows whose features stay in double precision with those of all others in single precision.
_NEWEST = 5


def load_examples(run: Run, *, single: bool = False) -> Examples:
    """Return all rows whose target was known at the as-of date; `single` has features in single precision.

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
    features = np.empty((position.size, len(names)), dtype=np.float32 if single else np.float64)
    newest = np.empty((min(_NEWEST, position.size), len(names)))
    for at, name in enumerate(names):
        known = column(rows, name)[keep]
        features[:, at], newest[:, at] = known, known[known.size - len(newest) :]
        del known
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
        newest=newest,
    )
