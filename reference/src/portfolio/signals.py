"""Signals of this project: they join those of the engine in features, tuning, training, scoring and ranking.

A signal is a function of windows of shape (rows, length): prices or one-day returns of one instrument, each
window ending on its row's own day. It returns one number per row. A function that uses other rows than its
own looks ahead, and is refused by name before anything runs. `docs/extending.md` says more. For example:

    import numpy as np

    from acceleray.extend import Signal


    def up_days(returns: np.ndarray) -> np.ndarray:
        return (returns > 0.0).mean(axis=1)


    SIGNALS = (
        Signal(
            name="up_days_3m",
            of="returns",
            length=63,
            statistic=up_days,
            meaning="share of the last 63 returns that are above zero",
            proposed_by="this project, 2026",
        ),
    )
"""

from acceleray.extend import Signal

SIGNALS: tuple[Signal, ...] = ()
