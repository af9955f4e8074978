"""What tests of the simulation share: a fan-out without Ray, and a small made-up market."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from acceleray.engines.ray.kept_states import Stream
from acceleray.quant.copula import t_copula
from acceleray.quant.garch import GjrParameters
from acceleray.quant.scenarios import atoms, stack_parameters
from acceleray.stages.simulate.scenario_inputs import World


class SerialFanOut:
    """Runs tasks one after the other; what goes in and comes out is pickled, as between processes.

    It is its own chain, whose results are read-only, as they are where they come out of an object store, and
    its own states, of which the largest is measured after each segment.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers
        self.largest_state = 0
        self.largest_result = 0
        self.ran: list[str] = []

    def share(self, value: Any) -> Any:
        return value

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        for number, task in enumerate(tasks):
            result = pickle.dumps(function(pickle.loads(pickle.dumps(task)), *shared, **fixed))
            self.ran.append(function.__name__)
            self.largest_result = max(self.largest_result, len(result))
            done(number + 1)
            yield pickle.loads(result)

    def chain(self, name: str) -> SerialFanOut:
        return self

    def __enter__(self) -> SerialFanOut:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def start(self, function: Callable[..., Any], *arguments: Any) -> Any:
        buffers: list[pickle.PickleBuffer] = []
        made = pickle.dumps(function(*arguments), protocol=5, buffer_callback=buffers.append)
        stored = [bytes(each.raw()) for each in buffers]
        self.ran.append(function.__name__)
        self.largest_result = max(self.largest_result, len(made) + sum(map(len, stored)))
        return pickle.loads(made, buffers=stored)

    def states(self, name: str, say: Callable[[str], None]) -> SerialFanOut:
        return self

    def through(
        self,
        stream: Stream,
        tasks: Sequence[Any],
        segments: Sequence[Sequence[Any]],
        shared: Sequence[Any],
        done: Callable[[], None],
    ) -> list[Any]:
        assert len(tasks) <= self.workers
        states = [None] * len(tasks)
        for segment in segments:
            made = [self.start(stream.make, part, *shared) for part in segment]
            for place, task in enumerate(tasks):
                states[place] = stream.take(states[place], task, *shared, *made)
                self.largest_state = max(self.largest_state, len(pickle.dumps(states[place])))
            done()
        return [
            self.start(stream.finish, state, task, *shared) for state, task in zip(states, tasks, strict=True)
        ]

    def results(self, references: Sequence[Any], what: str) -> Iterator[Any]:
        yield from references


def made_up_world(portfolios: int = 70, instruments: int = 3, days: int = 700) -> World:
    """Return a world of long-only portfolios, but for the second without holdings and the third hedged."""
    generator = np.random.default_rng(5)
    parameters = GjrParameters(mu=2e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.9, nu=6.0)
    weights = generator.dirichlet(np.ones(instruments), portfolios)
    weights[1] = 0.0
    weights[2, :2] = (0.7, -0.7)
    return World(
        seed=9,
        residuals=generator.standard_t(5, (days, instruments)) * np.sqrt(3 / 5),
        parameters=stack_parameters([parameters] * instruments),
        next_sigma=np.linspace(0.01, 0.02, instruments),
        weights=weights,
    )


def with_t_copula(world: World, nu: float = 4.0) -> World:
    """Return the same world with shocks from a t copula."""
    count = len(world.next_sigma)
    correlation = np.full((count, count), 0.5) + 0.5 * np.eye(count)
    return replace(world, copula=t_copula(correlation, nu, np.full(count, 6.0)))


def all_returns(world: World, scenarios: int, horizon_d: int) -> np.ndarray:
    """Return the returns of every scenario at once, of shape (scenarios, instruments)."""
    return np.concatenate([world.returns(atom, horizon_d) for atom in atoms(scenarios)])
