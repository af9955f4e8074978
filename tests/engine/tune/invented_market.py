"""Examples with a known answer: one feature that ranks the future, others that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from acceleray.quant.examples import Examples
from acceleray.settings import Settings

HORIZON = 5
NAMES = ("planted", "noise_1", "noise_2", "noise_3")


def market(
    strength: float = 0.05, days: int = 500, instruments: int = 12, seed: int = 1
) -> tuple[Examples, NDArray[np.float64]]:
    """Return examples and the return of the day after each row.

    Each day's return is `strength` times the planted feature of the day before, and noise of size one per
    cent; all features drift slowly, as real ones do.
    """
    draws = np.random.default_rng(seed)
    drifting = np.zeros((len(NAMES), days + HORIZON, instruments))
    for day in range(1, days + HORIZON):
        drifting[:, day] = 0.95 * drifting[:, day - 1] + draws.normal(size=drifting[:, day].shape)
    ranks = np.stack([(rankdata(one, axis=1) - 1) / (instruments - 1) - 0.5 for one in drifting])
    daily = np.zeros((days + HORIZON, instruments))
    daily[1:] = strength * 0.01 * ranks[0, :-1] + draws.normal(0, 0.01, (days + HORIZON - 1, instruments))
    ahead = np.stack([np.prod(1 + daily[day + 1 : day + 1 + HORIZON], axis=0) - 1 for day in range(days)])
    target = (rankdata(ahead, axis=1) - 1) / (instruments - 1) - 0.5
    # Sorted by instrument, then date, as examples are.
    instrument, date = np.divmod(np.arange(days * instruments), days)
    examples = Examples(
        features=np.column_stack([one[date, instrument] for one in ranks]),
        target=target[date, instrument],
        forward_return=ahead[date, instrument],
        date=date,
        instrument=instrument,
        dates=np.arange(np.datetime64("2015-01-01"), np.datetime64("2015-01-01") + days),
        instruments=tuple(f"I{number:02d}" for number in range(instruments)),
    )
    return examples, daily[date + 1, instrument]


def shuffled(examples: Examples, seed: int = 3) -> Examples:
    """Return examples whose labels were dealt anew among the instruments of each date."""
    draws, order = np.random.default_rng(seed), np.arange(len(examples.target))
    for date in range(len(examples.dates)):
        rows = np.flatnonzero(examples.date == date)
        order[rows] = draws.permutation(rows)
    return replace(examples, target=examples.target[order], forward_return=examples.forward_return[order])


def small(**tune: int) -> Settings:
    sizes = {"trials": 8, "maximum_rounds": 60, "chunk_rounds": 10, "parallel_trials": 3, "folds": 2}
    sizes |= {"patience_rounds": 30, "minimum_train_d": 150, "embargo_d": 2, "holdout_d": 100} | tune
    return Settings.model_validate(
        {"project": {"name": "t", "customer": "T"}, "features": {"horizon_d": HORIZON}, "tune": sizes}
    )
