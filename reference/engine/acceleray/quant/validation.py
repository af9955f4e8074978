"""Validation splits that let no label of the training dates reach into the test dates."""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class WalkForwardFold:
    """Positions of the training and the test dates among the sorted unique dates, as slices."""

    train_dates: slice
    test_dates: slice


def purged_walk_forward(
    dates_count: int, folds: int, minimum_train: int, purge_d: int, embargo_d: int, step_d: int = 1
) -> list[WalkForwardFold]:
    """Return folds in the order of time: each tests a block of dates, and trains on all dates well before it.

    Split *unique dates*, not rows: the instruments of one date belong together.
    The last ``purge_d`` dates before a test block are not trained on, because their labels span so many days
    and would look into it; ``embargo_d`` more are left out against what serial dependence carries over (Lopez
    de Prado 2018, chapter 7; his embargo follows a test block, but here no training date ever does, so it
    lies before).
    Test blocks follow each other without gap or overlap up to the last date, their lengths differing by one
    at most; training on the first fold has ``minimum_train`` dates. With ``step_d`` test blocks but the last
    have a multiple of so many dates, where each has at least as many: then a new date mostly moves the end of
    the last block alone, and no training date. Raises ValueError where the dates do not suffice.
    """
    if folds < 1 or minimum_train < 1 or purge_d < 0 or embargo_d < 0:
        raise ValueError("folds and minimum_train must be at least 1, purge_d and embargo_d at least 0")
    gap = purge_d + embargo_d
    tested = dates_count - minimum_train - gap
    if tested < folds:
        raise ValueError(
            f"{dates_count} dates do not suffice: {minimum_train} to train on, a gap of {gap}, {folds} folds"
        )
    step = step_d if tested >= step_d * folds else 1
    inner = [minimum_train + gap + tested * fold // folds // step * step for fold in range(folds)]
    edges = [*inner, dates_count]
    return [
        WalkForwardFold(train_dates=slice(0, begin - gap), test_dates=slice(begin, end))
        for begin, end in pairwise(edges)
    ]
