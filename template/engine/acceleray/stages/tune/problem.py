"""Inputs of every trial: the dates before the holdout, and the folds among them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.examples import Examples
from acceleray.quant.validation import WalkForwardFold, purged_walk_forward
from acceleray.settings import Settings


@dataclass(frozen=True)
class Problem:
    """Examples of the dates before the holdout alone, and how trials are judged on them.

    Attributes:
        examples: development rows; the holdout is not among them, so no trial can see it.
        names: of the features, in the order of the columns.
        folds: training and validation dates, as positions in `examples.dates`.
        horizon_d: of the target, in trading days.
        chunk: rounds between reports.
        rounds: at most.
        seed: of every fit.
        device: on which models are fitted.
    """

    examples: Examples
    names: tuple[str, ...]
    folds: tuple[WalkForwardFold, ...]
    horizon_d: int
    chunk: int
    rounds: int
    seed: int
    device: str = "cpu"

    @property
    def validation(self) -> slice:
        """Return the validation dates of all folds, which follow each other without a gap."""
        return slice(self.folds[0].test_dates.start, self.folds[-1].test_dates.stop)

    def digest(self) -> str:
        """Return a SHA-256 over everything that decides what a trial reports, as 16 digits."""
        examples = self.examples
        digest = hashlib.sha256()
        for values in (examples.features, examples.target, examples.forward_return):
            digest.update(np.ascontiguousarray(values).tobytes())
        for places in (examples.date, examples.instrument):
            digest.update(np.ascontiguousarray(places).tobytes())
        parts = [list(self.names), self.horizon_d, self.chunk, self.rounds, self.seed, self.device]
        folds = [(int(fold.train_dates.stop), int(fold.test_dates.stop)) for fold in self.folds]
        digest.update(json.dumps([*parts, folds]).encode())
        return digest.hexdigest()[:16]


def development(settings: Settings, dates_count: int) -> int:
    """Return how many of the first dates may be used for the search.

    After them come the horizon and the embargo, which nobody uses, and the holdout.

    Raises:
        PortfolioError: there are not enough dates.
    """
    tune = settings.tune
    count = dates_count - tune.holdout_d - settings.features.horizon_d - tune.embargo_d
    if count < 1:
        raise PortfolioError(
            f"{dates_count} labelled dates are too few for a holdout of {tune.holdout_d}; "
            "lower tune.holdout_d."
        )
    return count


def build_problem(settings: Settings, examples: Examples, names: tuple[str, ...]) -> Problem:
    """Return the problem of a search over all labelled examples, less the holdout and the gap before it.

    Raises:
        PortfolioError: the history is too short for folds and holdout.
    """
    tune, count = settings.tune, development(settings, len(examples.dates))
    try:
        folds = purged_walk_forward(
            count, tune.folds, tune.minimum_train_d, settings.features.horizon_d, tune.embargo_d
        )
    except ValueError as error:
        raise PortfolioError(
            f"The search cannot be validated: {error} before the holdout; "
            "lower tune.holdout_d, tune.minimum_train_d or tune.folds."
        ) from None
    return Problem(
        examples=_first(examples, count),
        names=names,
        folds=tuple(folds),
        horizon_d=settings.features.horizon_d,
        chunk=tune.chunk_rounds,
        rounds=tune.maximum_rounds,
        seed=settings.seed,
        device=settings.model.device,
    )


def _first(examples: Examples, count: int) -> Examples:
    rows: NDArray[np.bool_] = examples.within(slice(0, count))
    return Examples(
        features=examples.features[rows],
        target=examples.target[rows],
        forward_return=examples.forward_return[rows],
        date=examples.date[rows],
        instrument=examples.instrument[rows],
        dates=examples.dates[:count],
        instruments=examples.instruments,
    )
