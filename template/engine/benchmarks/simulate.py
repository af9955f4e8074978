"""Measure how time and memory of a simulation grow with the number of scenarios.

Simulates a made-up market by both methods (filtered historical and t copula) for every portfolio, at each
number of scenarios with a Ray of its own, and prints seconds, the peak memory of the whole process tree and
the exponents fitted to both: 0 is constant, 1 is proportional.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/simulate.py --scenarios 100000 1000000`.
With `--compare 2` the processor times of one pass and of three are compared, A B A B in this process; with
`--generator standard tables` the one pass once more, with scenarios of the t copula read from tables.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psutil

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.engines.ray.local import local_ray
from acceleray.quant.scenarios import ATOM
from acceleray.settings import Settings
from acceleray.stages.simulate.engine import simulated
from acceleray.stages.simulate.found import Plan
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.scenario_inputs import World
from scenario_inputs import generated, made_up, sampled

SCENARIOS = (100_000, 1_000_000, 4_000_000)
TARGETS = (0.05, 0.10)
PASSES = "three passes"


@dataclass
class Spent:
    """The cost of one size: wall-clock seconds, and the largest memory seen, in MB."""

    seconds: float = 0.0
    peak_mb: float = 0.0
    driver_mb: float = 0.0
    worker_mb: float = 0.0


def main() -> None:
    """Simulate at each size, print one line for each, and the exponents."""
    options = parsed()
    made = made_up(options.portfolios, options.instruments, options.methods)
    # Machine code as in a run.
    worlds = [replace(world, compiled_in=DEFAULT_FOLDER) for world in made]
    if options.compare:
        compare(worlds, options)
        return
    for generator in options.generator:
        every = [generated(world, generator) for world in worlds]
        if options.sampled:
            every = [sampled(world) for world in every]
        compiled(every, options)
        grow(every, generator, options)


def compiled(worlds: list[World], options: argparse.Namespace) -> None:
    """Compile what is missing, before the clock runs."""
    simulated(InTurn(), worlds, planned(ATOM, options))  # type: ignore[arg-type]


def grow(worlds: list[World], generator: str, options: argparse.Namespace) -> None:
    """Simulate by one generator at each size, print one line for each, and the exponents."""
    settings = Settings.model_validate(
        {
            "project": {"name": "simulation-scale", "customer": "benchmark"},
            "ray": {"workers": options.workers, "object_store_mb": options.object_store_mb},
        }
    )
    print(f"{options.portfolios:,} portfolios x {options.instruments} instruments,", end=" ")
    print(f"horizons {options.horizons} d, methods {' '.join(options.methods)},", end=" ")
    print(f"generator {generator}; memory is {memory_kind()}")
    names = ("scenarios", "seconds", "scenarios/s", "peak MB", "driver MB", "worker MB", "ES 97.5 %")
    print("".join(f"{name:>13}" for name in names))
    rows = []
    for scenarios in options.scenarios:
        with spending() as spent, local_ray(settings) as fan_out:
            started = time.monotonic()
            found = simulated(fan_out, worlds, planned(scenarios, options))
            spent.seconds = time.monotonic() - started
        rows.append(spent)
        print(line(scenarios, spent, found), flush=True)
    if len(rows) > 1:
        time_exponent = exponent(options.scenarios, [each.seconds for each in rows])
        memory_exponent = exponent(options.scenarios, [each.peak_mb for each in rows])
        print(f"growth with scenarios: seconds ^{time_exponent:.2f}, peak memory ^{memory_exponent:.3f}")


def planned(scenarios: int, options: argparse.Namespace) -> Plan:
    """Return what is simulated at one size."""
    return Plan(
        scenarios=scenarios,
        horizons_d=tuple(options.horizons),
        var_confidence=0.99,
        es_confidence=0.975,
        betas=np.ones(options.instruments),
        targets=TARGETS,
    )


def compare(worlds: list[World], options: argparse.Namespace) -> None:
    """Print processor seconds of three passes and of one by each generator, in turn in this process.

    The three passes are in NumPy alone, as they were; the one pass has machine code, as in a run. One day of
    past shocks is sampled too, as if it were not known that it can be enumerated.
    """
    drawn = [sampled(world) for world in worlds]
    sides = {name: [generated(world, name) for world in drawn] for name in options.generator}
    for each in sides.values():
        compiled(each, options)
    drawn = [replace(world, compiled_in=None) for world in drawn]
    heads = ["scenarios", "three passes"]
    for name in sides:
        heads += [f"one pass, {name}", "ratio"]
    print("".join(f"{head:>20}" for head in heads))
    for scenarios in options.scenarios:
        plan = planned(scenarios, options)
        spent = dict.fromkeys((PASSES, *sides), np.inf)
        found: dict[str, tuple[Horizon, ...]] = {}
        for side in tuple(spent) * options.compare:
            here: Any = InTurn()
            started = time.process_time()
            found[side] = simulated(here, sides.get(side, drawn), plan, in_passes=side == PASSES)
            spent[side] = min(spent[side], time.process_time() - started)
        line = f"{scenarios:>20,}{spent[PASSES]:>20.1f}"
        for name in sides:
            same_tails(found[PASSES], found[name], plan, 1e-8 if name == "tables" else 0.0)
            line += f"{spent[name]:>20.1f}{spent[PASSES] / spent[name]:>20.2f}"
        print(line, flush=True)


def same_tails(
    expected: tuple[Horizon, ...], found: tuple[Horizon, ...], plan: Plan, tolerance: float
) -> None:
    """Stop with an AssertionError unless every value at risk is the same, but for a relative tolerance."""
    for one, three in zip(found, expected, strict=True):
        for level in (plan.var_confidence, plan.es_confidence):
            pair = one.tail.value_at_risk(level), three.tail.value_at_risk(level)
            np.testing.assert_allclose(*pair, rtol=tolerance, atol=0.0)


class InTurn:
    """Runs what a fan-out would give to Ray one task after the other, in this process."""

    workers = 1

    def share(self, value: Any) -> Any:
        """Return the value."""
        return value

    def map(self, function: Any, tasks: Any, shared: Any = (), **fixed: Any) -> Iterator[Any]:
        """Yield the result of each task."""
        for task in tasks:
            yield function(task, *shared, **fixed)

    @contextmanager
    def chain(self, name: str, say: Any = None) -> Iterator[InTurn]:
        """Yield what runs tasks."""
        yield self

    states = chain

    def through(self, stream: Any, tasks: Any, segments: Any, shared: Any, done: Any) -> list[Any]:
        """Return what is known of each task after all segments."""
        states = [None] * len(tasks)
        for segment in segments:
            made = [stream.make(part, *shared) for part in segment]
            for place, task in enumerate(tasks):
                states[place] = stream.take(states[place], task, *shared, *made)
            done()
        return [stream.finish(state, task, *shared) for state, task in zip(states, tasks, strict=True)]

    def start(self, function: Any, *arguments: Any) -> Any:
        """Return the result."""
        return function(*arguments)

    def results(self, references: Any, what: str) -> Iterator[Any]:
        """Yield the results."""
        yield from references


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure how time and memory of a simulation grow with the number of scenarios.",
        epilog="Memory counts every process of the tree: driver, Ray's own, and workers.",
    )
    add = parser.add_argument
    add("--scenarios", type=int, nargs="+", default=SCENARIOS, help="sizes, ascending (default: %(default)s)")
    add("--portfolios", type=int, default=1000, help="(default: %(default)s)")
    add("--instruments", type=int, default=20, help="(default: %(default)s)")
    add("--horizons", type=int, nargs="+", default=(1, 10), help="trading days (default: %(default)s)")
    add(
        "--methods",
        nargs="+",
        choices=("filtered_historical", "t_copula"),
        default=("filtered_historical", "t_copula"),
        help="how scenarios are made (default: both)",
    )
    add(
        "--generator",
        nargs="+",
        choices=("standard", "tables"),
        default=("standard",),
        help="how scenarios of the t copula are made, one after the other (default: standard)",
    )
    add("--sampled", action="store_true", help="draw one day of past shocks too, as --compare does")
    add("--workers", type=int, default=0, help="Ray workers (default: all processors)")
    add("--object-store-mb", type=int, default=256, help="Ray's shared memory (default: %(default)s)")
    add("--compare", type=int, default=0, help="how often to compare one pass with three (default: not)")
    return parser.parse_args()


def line(scenarios: int, spent: Spent, found: tuple[Horizon, ...]) -> str:
    """Return what one size took, and the first portfolio's shortfall at the longest horizon."""
    made = sum(each.scenarios for each in found) / spent.seconds
    shortfall = 100.0 * float(found[-1].tail.expected_shortfall(0.975)[0])
    memory = f"{spent.peak_mb:>13,.0f}{spent.driver_mb:>13,.0f}{spent.worker_mb:>13,.0f}"
    return f"{scenarios:>13,}{spent.seconds:>13.1f}{made:>13,.0f}{memory}{shortfall:>11.4f} %"


def exponent(sizes: list[int], values: list[float]) -> float:
    """Return b of the least-squares fit value = a * size^b."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


@contextmanager
def spending() -> Iterator[Spent]:
    """Yield what is filled in with peak memory until the block ends."""
    spent, stop = Spent(), threading.Event()
    watcher = threading.Thread(target=watch, args=(spent, stop), daemon=True)
    watcher.start()
    try:
        yield spent
    finally:
        stop.set()
        watcher.join()


def watch(spent: Spent, stop: threading.Event) -> None:
    """Sample the memory of the process tree every second until told to stop; a sample takes 20 ms."""
    driver = psutil.Process()
    while not stop.wait(1.0):
        own = memory_mb(driver)
        children = [(child, memory_mb(child)) for child in driver.children(recursive=True)]
        workers = [size for child, size in children if named(child).startswith("ray::")]
        spent.driver_mb = max(spent.driver_mb, own)
        spent.worker_mb = max([spent.worker_mb, *workers])
        spent.peak_mb = max(spent.peak_mb, own + sum(size for _, size in children))


def memory_kind() -> str:
    """Return what is measured: shared pages counted once where the system tells, else for each process."""
    return "proportional (PSS)" if hasattr(psutil.Process().memory_full_info(), "pss") else "resident (RSS)"


def memory_mb(process: psutil.Process) -> float:
    """Return the memory of one process in MB; none if it has just ended."""
    try:
        found = process.memory_full_info()
        return float(getattr(found, "pss", found.rss)) / 1e6
    except psutil.Error:
        return 0.0


def named(process: psutil.Process) -> str:
    """Return the name of a process; nothing if it has just ended."""
    try:
        # Ray puts the task's name into the command line; a name in /proc is cut after 15 characters.
        return (process.cmdline() or [""])[0]
    except psutil.Error:
        return ""


if __name__ == "__main__":
    main()
