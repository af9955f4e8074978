"""Blocks of scenarios for what-if questions, and where each side keeps them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.ray.resident import Resident as Store
from acceleray.quant.block_scans import Trades
from acceleray.quant.line_returns import Unit, losses_before
from acceleray.quant.scenarios import ATOM
from acceleray.quant.what_if import Levels
from acceleray.stages.what_if.blocks import ATOMS_PER_BLOCK
from acceleray.stages.what_if.found import Question
from arena.side import Setting
from works.spark_worker import settled

SEED, TRADES, HEDGES = 20_240_305, 20, 20
LEVELS, HORIZON_D = Levels(0.99, 0.975), 10
SIZE = ATOMS_PER_BLOCK * ATOM
WEIGHTS = "weights.npy"


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write blocks of simulated returns (instruments, scenarios), and losses of a portfolio with them."""
    generator = np.random.default_rng(SEED)
    count = size["instruments"]
    weights = generator.dirichlet(np.ones(count))
    np.save(folder / WEIGHTS, weights)
    slopes = np.linspace(0.6, 1.4, count)[:, np.newaxis]
    for number, first in enumerate(range(0, size["scenarios"], SIZE)):
        some = min(SIZE, size["scenarios"] - first)
        returns = generator.standard_normal((count, some))
        returns *= 0.03
        returns += slopes * (generator.standard_t(5, some) * 0.03)
        np.save(folder / f"returns_{number:03d}.npy", returns)
        np.save(folder / f"losses_{number:03d}.npy", losses_before(returns, weights, ()))


def files(folder: Path, kind: str) -> list[str]:
    """Return the files of all blocks in order."""
    return sorted(str(path) for path in folder.glob(f"{kind}_*.npy"))


def questions(weights: NDArray[np.float64], count: int) -> list[Question]:
    """Return so many different questions."""
    generator = np.random.default_rng(SEED + 1)
    found = []
    for _ in range(count):
        chosen = generator.permutation(weights.size)[: TRADES + HEDGES]
        amounts = generator.normal(0.0, 0.02, TRADES)
        after = weights.copy()
        after[chosen[:TRADES]] += amounts
        units = [((1.0, Unit(int(place))),) for place in chosen]
        found.append(Question(tuple(units[:TRADES]), amounts, tuple(units[TRADES:]), after))
    return found


class Asked:
    """Results worked out already."""

    def __init__(self, results: list[Any]) -> None:
        """Keep what every block said."""
        self._results = results

    def get(self) -> list[Any]:
        """Return it."""
        return self._results


class FileBlocks:
    """Blocks in files; `ask` is what sides differ in."""

    def __init__(self, setting: Setting) -> None:
        """Find the files."""
        self.scenarios = setting.size["scenarios"]
        self.workers = setting.workers
        self.returns, self.kept = files(setting.folder, "returns"), files(setting.folder, "losses")

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Any:
        """Return what a function says of every block; see `drawn.Blocks`."""
        raise NotImplementedError

    def losses(self, weights: NDArray[np.float64], more: tuple[Unit, ...]) -> Any:
        """Return the losses that `make` wrote."""
        return self.kept

    def pilot(self, kept: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the first block."""
        return mapped(self.returns[0]), mapped(self.kept[0])


def mapped(path: str) -> NDArray[np.float64]:
    """Return the array of a file, mapped into memory."""
    return np.asarray(np.load(path, mmap_mode="r"))


def called(task: tuple[Callable[..., Any], str, str, tuple[Any, ...]]) -> Any:
    """Return what a function says of one block in files."""
    function, returns, losses, others = task
    return function(mapped(returns), mapped(losses), *others)


def called_in_spark(task: tuple[Callable[..., Any], str, str, tuple[Any, ...]]) -> Any:
    """Return the same in a Python worker of Spark."""
    settled()
    return called(task)


class PoolBlocks(FileBlocks):
    """Processes of one machine."""

    def __init__(self, setting: Setting, pool: Pool) -> None:
        """Ask this pool."""
        super().__init__(setting)
        self._pool = pool

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Asked:
        """Return what a function says of every block."""
        more = each or [()] * len(kept)
        tasks = [
            (function, returns, losses, (*some, *same))
            for returns, losses, some in zip(self.returns, kept, more, strict=True)
        ]
        return Asked(self._pool.map(called, tasks, chunksize=-(-len(tasks) // (2 * self.workers))))


class MappedBlocks(FileBlocks):
    """Python workers of Spark, one job a look, which map files into memory."""

    def __init__(self, setting: Setting, context: Any) -> None:
        """Ask this Spark."""
        super().__init__(setting)
        self._context = context

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Asked:
        """Return what a function says of every block."""
        more = each or [()] * len(kept)
        tasks = [
            (function, returns, losses, (*some, *same))
            for returns, losses, some in zip(self.returns, kept, more, strict=True)
        ]
        rows = self._context.parallelize(tasks, 2 * self.workers)
        return Asked(rows.map(called_in_spark).collect())


class CachedBlocks(FileBlocks):
    """A DataFrame in the executors' cache, a row a block and a column an instrument; one job a look."""

    def __init__(self, setting: Setting, spark: Any) -> None:
        """Read the files into the cache."""
        super().__init__(setting)
        self.count = setting.size["instruments"]
        schema = ["number long", "losses binary", *(f"r{place} binary" for place in range(self.count))]
        numbered = list(enumerate(zip(self.returns, self.kept, strict=True)))
        rows = spark.sparkContext.parallelize(numbered, 2 * self.workers).map(read)
        self._rows = spark.createDataFrame(rows, ", ".join(schema)).persist()
        self._rows.count()

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Asked:
        """Return what a function says of every block; only the columns it needs leave the cache."""
        held = list(range(self.count))
        if isinstance(same[0], Trades):
            # A question without trades needs no column, but a block has some.
            held = sorted({line.held for parts in same[0].units for _, line in parts}) or [0]
            at = {place: number for number, place in enumerate(held)}
            units = tuple(
                tuple((times, replace(line, held=at[line.held])) for times, line in parts)
                for parts in same[0].units
            )
            same = (replace(same[0], units=units), *same[1:])
        rows = self._rows.select("number", "losses", *(f"r{place}" for place in held))

        def look(batches: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
            settled()
            for batch in batches:
                for row in range(batch.num_rows):
                    number = batch.column(0)[row].as_py()
                    losses, *returns = (
                        np.frombuffer(batch.column(place)[row].as_buffer())
                        for place in range(1, batch.num_columns)
                    )
                    some = each[number] if each else ()
                    said = function(np.stack(returns), losses, *some, *same)
                    found = [[number], [pickle.dumps(said)]]
                    yield pa.RecordBatch.from_arrays([pa.array(each) for each in found], ["number", "said"])

        said = rows.mapInArrow(look, "number long, said binary").toArrow().sort_by("number")
        return Asked([pickle.loads(each) for each in said.column("said").to_pylist()])


def read(numbered: tuple[int, tuple[str, str]]) -> tuple[Any, ...]:
    """Return one block as a row: its number, losses, and the returns of each instrument."""
    number, (returns, losses) = numbered
    return (number, np.load(losses).tobytes(), *(each.tobytes() for each in np.load(returns)))


class StoreBlocks(FileBlocks):
    """Ray's object store, filled by tasks that read the files."""

    def __init__(self, setting: Setting, fan_out: Any) -> None:
        """Read the files into the store."""
        super().__init__(setting)
        self._store = Store(fan_out, len(self.returns))
        self._kept = self._store.keep(np.load, [(path,) for path in self.returns])

    def ask(
        self, function: Callable[..., Any], kept: Any, each: Sequence[tuple[Any, ...]], *same: Any
    ) -> Any:
        """Start a function on every block."""
        more = each or [()] * len(kept)
        blocks = zip(self._kept, kept, more, strict=True)
        tasks = [(returns, losses, *some) for returns, losses, some in blocks]
        return self._store.ask(function, tasks, same=same)

    def losses(self, weights: NDArray[np.float64], more: tuple[Unit, ...]) -> Any:
        """Read the losses into the store as well."""
        return self._store.keep(np.load, [(path,) for path in self.kept])

    def pilot(self, kept: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the first block."""
        return self._store.get(self._kept[0]), self._store.get(kept[0])
