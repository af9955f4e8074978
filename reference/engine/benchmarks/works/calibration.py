"""Calibration: a GJR-GARCH(1,1)-t for each of many instruments whose histories are short and long.

Returns are simulated, and so are their lengths. Every side calls the product's own fit, one thread each, the
longest history first, and reads the same Parquet file: a row for each instrument, its returns as a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import functions as F

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.ray.environment import ONE_THREAD
from acceleray.quant.garch import GjrParameters, fit_gjr_garch_t
from acceleray.stages.calibrate.schedule import BATCH
from arena.opened import RaySide, SparkSide, with_benchmarks
from arena.side import Answer, Setting, Side
from works.spark_worker import settled

if TYPE_CHECKING:
    import pandas as pd

NAME = "calibration"
TITLE = "Calibration, GJR-GARCH-t fits of uneven histories"
SIZES: Mapping[str, Mapping[str, int]] = {
    "full": {"fits": 500, "shortest_d": 250, "longest_d": 4000},
    "small": {"fits": 20, "shortest_d": 250, "longest_d": 1000},
}
GROWTH: tuple[Mapping[str, int], ...] = (
    {"fits": 50, "shortest_d": 250, "longest_d": 4000},
    {"fits": 500, "shortest_d": 250, "longest_d": 4000},
    {"fits": 5000, "shortest_d": 250, "longest_d": 4000},
)
# The same code on the same numbers: every bit must agree.
TOLERANCE = 0.0
# arch ends elsewhere in some fits, at a log-likelihood that is up to some units lower.
USUAL_TOLERANCE = float("inf")
TARGETS: Mapping[str, float] = {"spark_ratio": 1.3, "limit_ratio": 1.05}

SEED = 20_240_229
RETURNS = "returns.parquet"
# Days before a simulated history begins, after which its first variance no longer matters.
_WARM_UP_D = 250
_MINIMUM_D = 250
# Spark partitions for each worker, small so that none is long at the end.
_PARTS = 8
_ROWS = "instrument int, fit array<double>"
PARAMETERS = tuple(one.name for one in fields(GjrParameters))
# Likelihood, forecast, parameters and their standard errors.
_WIDTH = 2 + 2 * len(PARAMETERS)


def make(folder: Path, size: Mapping[str, int]) -> None:
    """Write simulated returns: a row for each instrument, of a length drawn between the two limits."""
    generator = np.random.default_rng(SEED)
    lengths = generator.integers(size["shortest_d"], size["longest_d"] + 1, size["fits"])
    histories = [simulated(generator, int(length)) for length in lengths]
    columns = {
        "instrument": pa.array(range(size["fits"]), pa.int32()),
        "days": pa.array(lengths, pa.int32()),
        "returns": pa.array(histories, pa.list_(pa.float64())),
    }
    pq.write_table(pa.table(columns), folder / RETURNS)


def simulated(generator: np.random.Generator, days: int) -> NDArray[np.float64]:
    """Return simulated daily returns of shape (days,), of the model that is fitted, its parameters drawn."""
    alpha, gamma = generator.uniform(0.01, 0.05), generator.uniform(0.03, 0.12)
    beta = generator.uniform(0.85, 0.98 - alpha - gamma / 2.0)
    nu, variance = generator.uniform(4.0, 10.0), generator.uniform(0.008, 0.03) ** 2
    rest = (1.0 - alpha - gamma / 2.0 - beta) * variance
    draws = generator.standard_t(nu, days + _WARM_UP_D) * np.sqrt((nu - 2.0) / nu)
    shocks = np.empty(draws.size)
    for day, draw in enumerate(draws):
        shock = shocks[day] = np.sqrt(variance) * draw
        variance = rest + (alpha + gamma * (shock < 0.0)) * shock * shock + beta * variance
    return 3e-4 + shocks[_WARM_UP_D:]


def fitted(returns: NDArray[np.float64]) -> list[float]:
    """Return what is kept of the product's fit of one history; zeros where there is no model."""
    fit = fit_gjr_garch_t(returns, _MINIMUM_D)
    if fit.parameters is None or fit.standard_errors is None:
        return [0.0] * _WIDTH
    parts: list[float] = [fit.log_likelihood, fit.next_sigma]
    for values in (fit.parameters, fit.standard_errors):
        parts += [getattr(values, name) for name in PARAMETERS]
    # A standard error that cannot be computed is not a number, and would not equal itself.
    return [float(value) for value in np.nan_to_num(parts)]


class Histories:
    """All returns in one array, and where each instrument's begin; the array travels, or is shared, once."""

    def __init__(self, path: Path) -> None:
        """Read them."""
        column = pq.read_table(path, columns=["returns"]).column("returns").combine_chunks()
        self.values: NDArray[np.float64] = column.values.to_numpy()
        self.starts: NDArray[np.int64] = column.offsets.to_numpy().astype(np.int64)

    @property
    def order(self) -> list[int]:
        """Return the instruments, the longest history first, so that none is left for the end."""
        return [int(place) for place in np.argsort(-np.diff(self.starts), kind="stable")]


def fit_one(place: int, values: NDArray[np.float64], starts: NDArray[np.int64]) -> list[float]:
    """Return the fit of one instrument out of the array of all."""
    return fitted(values[starts[place] : starts[place + 1]])


def answer(places: Sequence[int], fits: Sequence[Sequence[float]]) -> Answer:
    """Return the fits in the order of instruments: {"fits": (instruments, numbers)}."""
    rows = np.empty((len(places), _WIDTH))
    rows[list(places)] = np.asarray(fits)
    return {"fits": rows}


def fitted_by_arch(returns: NDArray[np.float64]) -> list[float]:
    """Return what `fitted` does, by the library that most would pick, fed with per cent as it asks."""
    from arch import arch_model

    model = arch_model(100.0 * returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    found = model.fit(disp="off", show_warning=False)
    ahead = found.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0]
    # Of per cent into fractions: mean and variance, and the density of each return.
    units = np.array([1e-2, 1e-4, 1.0, 1.0, 1.0, 1.0])
    likelihood = found.loglikelihood + returns.size * np.log(100.0)
    columns = [column.to_numpy() * units for column in (found.params, found.std_err)]
    parts = [likelihood, np.sqrt(ahead) / 100.0, *columns[0], *columns[1]]
    return [float(value) for value in np.nan_to_num(parts)]


class Limit(Side):
    """joblib's own processes (loky), which stay from one run to the next."""

    fitted = staticmethod(fitted)

    def start(self, setting: Setting) -> None:
        """Start the processes, each of one thread."""
        from joblib import Parallel, delayed

        self._path = setting.folder / RETURNS
        environment = process_environment({**ONE_THREAD, "PYTHONPATH": with_benchmarks()})
        with environment:
            self._parallel = Parallel(n_jobs=setting.workers, pre_dispatch="all", batch_size=1)
            self._parallel(delayed(abs)(place) for place in range(setting.workers))

    def run(self) -> Answer:
        """Fit every history; each travels to the process that fits it."""
        from joblib import delayed

        every = Histories(self._path)
        order, ends = every.order, every.starts
        fit = delayed(self.fitted)
        fits = self._parallel(fit(every.values[ends[place] : ends[place + 1]]) for place in order)
        return answer(order, fits)

    def stop(self) -> None:
        """End the processes."""
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)


class Usual(Limit):
    """arch in joblib's processes: what a user would write."""

    fitted = staticmethod(fitted_by_arch)


class SparkGroups(SparkSide):
    """A group for each instrument, and pandas: how it is usually written."""

    def run(self) -> Answer:
        """Fit group by group."""
        rows = self.spark.read.parquet(str(self.setting.folder / RETURNS))
        parts = _PARTS * self.setting.workers
        spread = rows.repartition(parts, "instrument").groupBy("instrument")
        return collected(spread.applyInPandas(_fit_group, _ROWS).toArrow())


class SparkArrow(SparkSide):
    """Arrow batches in small partitions, the longest histories first; nothing of pandas."""

    def run(self) -> Answer:
        """Fit partition by partition."""
        rows = self.spark.read.parquet(str(self.setting.folder / RETURNS))
        parts = _PARTS * self.setting.workers
        spread = rows.repartitionByRange(parts, F.desc("days"))
        return collected(spread.mapInArrow(_fit_batches, _ROWS).toArrow())


class SparkBroadcast(SparkSide):
    """Tasks over one broadcast array, the longest first: nothing is read or moved by Spark itself."""

    def run(self) -> Answer:
        """Fit place by place."""
        every = Histories(self.setting.folder / RETURNS)
        context = self.spark.sparkContext
        shared = context.broadcast((every.values, every.starts))
        order, parts = every.order, _PARTS * self.setting.workers

        def fit_part(places: Iterable[int]) -> Iterable[list[float]]:
            settled()
            return [fit_one(place, *shared.value) for place in places]

        try:
            fits = context.parallelize(order, parts).mapPartitions(fit_part).collect()
        finally:
            shared.destroy()
        return answer(order, fits)


class Ray(RaySide):
    """The product's way: batches of fits over one shared array, single fits at the end."""

    def run(self) -> Answer:
        """Fit batch by batch."""
        every = Histories(self.setting.folder / RETURNS)
        order, shared = every.order, (every.values, every.starts)
        return answer(order, list(self.fan_out.map(fit_one, order, shared, batch=BATCH)))


def collected(rows: pa.Table) -> Answer:
    """Return the answer out of Spark's rows."""
    return answer(rows.column("instrument").to_pylist(), rows.column("fit").to_pylist())


def _fit_group(key: tuple[Any, ...], rows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    settled()
    returns = np.asarray(rows["returns"].iloc[0], dtype=np.float64)
    return pd.DataFrame({"instrument": [key[0]], "fit": [fitted(returns)]})


def _fit_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    settled()
    for batch in batches:
        fits = [fitted(one.values.to_numpy()) for one in batch.column("returns")]
        columns = [batch.column("instrument"), pa.array(fits, pa.list_(pa.float64()))]
        yield pa.RecordBatch.from_arrays(columns, ["instrument", "fit"])


SIDES: Mapping[str, type[Side]] = {
    "limit": Limit,
    "usual": Usual,
    "spark_groups": SparkGroups,
    "spark_arrow": SparkArrow,
    "spark_broadcast": SparkBroadcast,
    "ray": Ray,
}
