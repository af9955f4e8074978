"""The problem: simulated examples with a planted signal, and the proposals of the product's own search."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.proposals import Plan, Search
from acceleray.quant.examples import Examples
from acceleray.quant.validation import purged_walk_forward
from acceleray.settings import Model
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.tune.problem import Problem
from acceleray.stages.tune.space import SPACE, parameters_of
from acceleray.stages.tune.trial import prepare, trial
from arena.side import Answer

SEED = 20_240_229
EXAMPLES, PROPOSALS = "examples.npz", "proposals.json"
# As in the product's settings, but for a history a quarter as long.
_CHUNK, _FACTOR, _PATIENCE, _LEARNS_AFTER, _FOLDS = 10, 3, 60, 8, 4
_HORIZON_D, _EMBARGO_D = 21, 5
_STRENGTH = 0.06


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write the examples, and what the product's search proposes for them."""
    generator = np.random.default_rng(SEED)
    shape = size["days"], size["instruments"]
    drawn = generator.standard_normal((len(FEATURE_NAMES), *shape))
    signal = drawn[0] - 0.5 * drawn[1] + 0.8 * drawn[2] * drawn[3]
    future = _STRENGTH * signal + generator.standard_normal(shape)
    # Rows by instrument and date, as the product's.
    features = np.stack([ranks(each).T.ravel() for each in drawn], axis=1)
    target, forward = ranks(future).T.ravel(), (0.05 * future).T.ravel()
    np.savez(folder / EXAMPLES, features=features, target=target, forward=forward, shape=shape)
    proposals = [one.parameters for one in searched(read(folder, size), size)]
    (folder / PROPOSALS).write_text(json.dumps(proposals), encoding="utf-8")


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of each row of (days, instruments), from -0.5 to 0.5."""
    places = np.argsort(np.argsort(values, axis=1), axis=1)
    return np.asarray((places + 0.5) / values.shape[1] - 0.5, dtype=np.float64)


def read(folder: Path, size: Mapping[str, int]) -> Problem:
    """Return the problem that was made."""
    with np.load(folder / EXAMPLES) as kept:
        days, instruments = (int(one) for one in kept["shape"])
        examples = Examples(
            features=kept["features"],
            target=kept["target"],
            forward_return=kept["forward"],
            date=np.tile(np.arange(days), instruments),
            instrument=np.repeat(np.arange(instruments), days),
            dates=np.datetime64("2000-01-03") + np.arange(days),
            instruments=tuple(f"SIMULATED{number:03d}" for number in range(instruments)),
        )
    folds = purged_walk_forward(days, _FOLDS, days // 3, _HORIZON_D, _EMBARGO_D)
    return Problem(examples, FEATURE_NAMES, tuple(folds), _HORIZON_D, _CHUNK, size["rounds"], SEED)


def proposals(folder: Path) -> list[dict[str, float]]:
    """Return what the product's search proposed, in order."""
    found: list[dict[str, float]] = json.loads((folder / PROPOSALS).read_text(encoding="utf-8"))
    return found


def plan(size: Mapping[str, int]) -> Plan:
    """Return how the product searches."""
    return Plan(
        space=SPACE,
        first=parameters_of(Model()),
        trials=size["trials"],
        learns_after=_LEARNS_AFTER,
        chunk=_CHUNK,
        factor=_FACTOR,
        last=size["rounds"],
        patience=_PATIENCE,
        seed=SEED,
    )


def searched(problem: Problem, size: Mapping[str, int]) -> Sequence[Any]:
    """Return the trials of the product's search, run in this process: they depend on no number of workers."""
    state, prepared = Search(plan(size)), prepare(problem)
    under_way = {}
    while not state.ended:
        while (one := state.propose()) is not None:
            under_way[one.number] = trial(one.parameters, prepared)
        for number, reports in list(under_way.items()):
            if not state.report(number, next(reports)):
                del under_way[number]
    return state.trials


def answer(rank_ic: float) -> Answer:
    """Return the answer of a side: the best mean rank IC that any of its trials reached."""
    return {"rank_ic": np.array([rank_ic])}
