"""Simulation: exact value at risk and expected shortfall of many portfolios under a million scenarios.

Scenarios are one-day filtered historical simulation, made inside the work from simulated residuals. All sides
share two kernels but the usual one: `scenarios` makes an atom of them, `tails` measures a group of portfolios
on all of them. Portfolios are shared out, so each side must get every scenario to every process.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from multiprocessing.pool import Pool
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.ray.environment import ONE_THREAD
from acceleray.quant.garch import GjrParameters
from acceleray.quant.scenarios import (
    ATOM,
    ParameterArrays,
    atoms,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
)
from arena.opened import RaySide, SparkSide
from arena.side import Answer, Setting, Side
from works.simulation_tails import groups, sorted_tails, tails

NAME = "simulation"
TITLE = "Simulation, exact VaR and ES"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"scenarios": 1_000_000, "instruments": 20, "portfolios": 2000},
    "small": {"scenarios": 100_000, "instruments": 20, "portfolios": 200},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"scenarios": 100_000, "instruments": 20, "portfolios": 2000},
    {"scenarios": 300_000, "instruments": 20, "portfolios": 2000},
    {"scenarios": 1_000_000, "instruments": 20, "portfolios": 2000},
)
# Every side multiplies blocks of the same shapes, so nearly every bit agrees; what Spark broadcasts need not
# lie at a multiple of 64 bytes, and then the last bit of a product may differ.
TOLERANCE = 1e-15
# NumPy multiplies larger blocks and adds in another order.
USUAL_TOLERANCE = 1e-12
TARGETS: Mapping[str, float] = {"spark_ratio": 4.0, "limit_ratio": 1.1}

SEED, DAYS = 20_240_229, 2000
INPUTS = "inputs.npz"

Market = tuple[NDArray[np.float64], ParameterArrays, NDArray[np.float64]]


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write a simulated market (residuals, volatilities) and the weights of portfolios."""
    generator = np.random.default_rng(SEED)
    instruments = size["instruments"]
    residuals = generator.standard_t(5, (DAYS, instruments)) * 0.7 + generator.standard_t(5, (DAYS, 1)) * 0.7
    np.savez(
        folder / INPUTS,
        residuals=residuals / residuals.std(axis=0),
        sigma=np.linspace(0.008, 0.02, instruments),
        weights=generator.dirichlet(np.ones(instruments), size["portfolios"]),
    )


def read(folder: Path) -> tuple[Market, NDArray[np.float64]]:
    """Return the market and the weights (portfolios, instruments)."""
    found = np.load(folder / INPUTS)
    each = GjrParameters(mu=3e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.91, nu=6.0)
    parameters = stack_parameters([each] * found["sigma"].size)
    return (found["residuals"], parameters, found["sigma"]), found["weights"]


def scenarios(market: Market, atom: int, count: int) -> NDArray[np.float64]:
    """Return the returns of one atom of scenarios, of shape (instruments, scenarios)."""
    residuals, parameters, sigma = market
    days = draw_days(SEED, atom, count, 1, residuals.shape[0])
    return np.ascontiguousarray(filtered_historical_returns(days, residuals, parameters, sigma).T)


def every_scenario(market: Market, total: int) -> NDArray[np.float64]:
    """Return all scenarios, of shape (instruments, scenarios)."""
    returns = np.empty((market[2].size, total))
    for atom, count in atoms(total):
        returns[:, atom * ATOM : atom * ATOM + count] = scenarios(market, atom, count)
    return returns


class Limit(Side):
    """Processes over one matrix in shared memory, which each of them maps."""

    def start(self, setting: Setting) -> None:
        """Start the processes."""
        self.setting = setting
        with process_environment(ONE_THREAD):
            # Started afresh, because only then do libraries read how many threads they may use.
            self._pool: Pool = multiprocessing.get_context("spawn").Pool(setting.workers)
            self._pool.map(len, [[]] * setting.workers)

    def run(self) -> Answer:
        """Make all scenarios in shared memory, then measure groups of portfolios."""
        market, weights = read(self.setting.folder)
        total = self.setting.size["scenarios"]
        shape = (market[2].size, total)
        memory = SharedMemory(create=True, size=8 * shape[0] * total)
        try:
            parts = [(memory.name, shape, market, some) for some in _shared_out(total, self.setting.workers)]
            self._pool.map(fill_shared, parts, chunksize=1)
            tasks = [(memory.name, shape, some) for some in groups(weights)]
            found = self._pool.map(measure_shared, tasks, chunksize=1)
        finally:
            memory.close()
            memory.unlink()
        return {"tails": np.concatenate(found)}

    def stop(self) -> None:
        """End the processes."""
        self._pool.terminate()
        self._pool.join()


def fill_shared(task: tuple[str, tuple[int, int], Market, list[tuple[int, int]]]) -> None:
    """Make some atoms of scenarios where they belong in shared memory."""
    name, shape, market, some = task
    memory = SharedMemory(name)
    returns = np.ndarray(shape, buffer=memory.buf)
    for atom, count in some:
        returns[:, atom * ATOM : atom * ATOM + count] = scenarios(market, atom, count)
    del returns
    memory.close()


def measure_shared(task: tuple[str, tuple[int, int], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the tails of a group of portfolios on the scenarios in shared memory."""
    name, shape, weights = task
    memory = SharedMemory(name)
    found = tails(weights, np.ndarray(shape, buffer=memory.buf))
    memory.close()
    return found


class Usual(Side):
    """NumPy in one process with its own threads, and all losses in memory: what a user would write."""

    def start(self, setting: Setting) -> None:
        """Open nothing."""
        self.setting = setting

    def run(self) -> Answer:
        """Make all scenarios, then sort all losses of as many portfolios as fit into memory."""
        market, weights = read(self.setting.folder)
        returns = every_scenario(market, self.setting.size["scenarios"])
        return {"tails": sorted_tails(weights, returns)}

    def stop(self) -> None:
        """Close nothing."""


class SparkBroadcast(SparkSide):
    """Scenarios made once and broadcast; Python workers measure groups of portfolios."""

    def run(self) -> Answer:
        """Make the scenarios in the driver, which is quicker than collecting them, and share them out."""
        market, weights = read(self.setting.folder)
        context = self.spark.sparkContext
        returns = context.broadcast(every_scenario(market, self.setting.size["scenarios"]))
        try:
            return measured_by_spark(self, weights, lambda: returns.value)
        finally:
            returns.destroy()


class SparkAnew(SparkSide):
    """No broadcast: each Python worker makes all scenarios again, once, from the seed."""

    def run(self) -> Answer:
        """Measure the portfolios in as many tasks as there are workers."""
        market, weights = read(self.setting.folder)
        total = self.setting.size["scenarios"]
        return measured_by_spark(self, weights, lambda: every_scenario(market, total), whole=True)


def measured_by_spark(
    side: SparkSide, weights: NDArray[np.float64], given: Any, whole: bool = False
) -> Answer:
    """Return the tails of all portfolios; `given()` returns the scenarios where a task runs.

    Few tasks where each has to make the scenarios first, several a worker otherwise.
    """
    numbers = np.arange(len(weights))
    columns = {"number": numbers, "weights": list(weights)}
    tasks = side.setting.workers * (1 if whole else 4)

    def measure(batches: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        table = pa.Table.from_batches(list(batches))
        if not len(table):
            return
        some = table.column("weights").combine_chunks().flatten().to_numpy().reshape(len(table), -1)
        found = tails(some, given())
        value_at_risk, shortfall = (pa.array(found[:, place]) for place in range(2))
        yield pa.RecordBatch.from_arrays(
            [table.column("number").combine_chunks(), value_at_risk, shortfall], ["number", "var", "es"]
        )

    rows = side.spark.createDataFrame(pa.table(columns)).repartitionByRange(tasks, "number")
    table = rows.mapInArrow(measure, "number long, var double, es double").toArrow().sort_by("number")
    return {"tails": np.column_stack([table.column(name).to_numpy() for name in ("var", "es")])}


class Ray(RaySide):
    """Tasks make the scenarios, others measure groups of portfolios on the one matrix in shared memory."""

    def run(self) -> Answer:
        """Make, share once, measure."""
        market, weights = read(self.setting.folder)
        total = self.setting.size["scenarios"]
        returns = np.empty((market[2].size, total))
        parts = _shared_out(total, 4 * self.fan_out.workers)
        for some, made in zip(parts, self.fan_out.map(made_atoms, parts, (market,)), strict=True):
            first = some[0][0] * ATOM
            returns[:, first : first + made.shape[1]] = made
        found = self.fan_out.map(measure_group, groups(weights), (returns,))
        return {"tails": np.concatenate(list(found))}


def made_atoms(some: list[tuple[int, int]], market: Market) -> NDArray[np.float64]:
    """Return the scenarios of neighbouring atoms."""
    return np.concatenate([scenarios(market, atom, count) for atom, count in some], axis=1)


def measure_group(weights: NDArray[np.float64], returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tails of a group of portfolios; runs on Ray, on one thread."""
    return tails(weights, returns)


def _shared_out(total: int, parts: int) -> list[list[tuple[int, int]]]:
    every = atoms(total)
    size = -(-len(every) // parts)
    return [every[first : first + size] for first in range(0, len(every), size)]


SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "usual": Usual,
    "spark_broadcast": SparkBroadcast,
    "spark_anew": SparkAnew,
    "ray": Ray,
}
