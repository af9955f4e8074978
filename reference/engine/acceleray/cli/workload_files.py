"""The files that a new workload starts with; `$name`, `$constant`, `$title` and `$number` are filled in.

They make a workload that runs: the mean daily return of each instrument, by Ray. Replace what it computes.
"""

from __future__ import annotations

RECIPE = '''\
"""$title: say here, in one sentence, what question it answers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray import tables as t
from acceleray.runtime.evidence import record
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.stage import ingest
from acceleray.runtime.run import Run
from portfolio.tables.$name import $constant
from acceleray.runtime.workload import Conclusion, Workload


def run(run: Run) -> Conclusion:
    """Run every stage and return the headline."""
    with run.stage("ingest", "Ingest prices (Spark)"):
        loaded = ingest(run)
        # Name here the digest of whatever else decides the numbers, such as a file of yours.
        run.identify(loaded.load_id, loaded.as_of)
    with run.stage("features", "Build returns (Spark)"):
        build_returns(run)
    with run.stage("$name", "$title (Ray)"):
        series = _returns_by_instrument(run)
        means = list(run.fan_out.map(mean_return, list(series.values())))
        rows = {"instrument_id": list(series), "days": [len(one) for one in series.values()]}
        run.commit($constant, pa.table({**rows, "mean_return_1d": means}))
        record(run, WORKLOAD.name, "")
    highest = 100.0 * max(means, default=0.0)
    headline = (("Instruments", str(len(series))), ("Highest mean daily return", f"{highest:.3f} %"))
    return Conclusion(headline, "", None)


def mean_return(returns: NDArray[np.float64]) -> float:
    """Return the mean of an instrument's daily returns; one task of the fan-out."""
    return float(np.mean(returns))


def _returns_by_instrument(run: Run) -> dict[str, NDArray[np.float64]]:
    """Return the known returns of each instrument, in order of date, up to the run's as-of date."""
    columns = ("instrument_id", "date", "return_1d")
    known = run.arrow(t.RETURNS, columns, f"date <= DATE'{run.as_of}'").drop_null()
    names = np.array(known["instrument_id"].to_pylist())
    values = known["return_1d"].to_numpy()
    return {str(name): values[names == name] for name in np.unique(names)}


WORKLOAD = Workload(
    name="$name",
    title="$title",
    engine="ray",
    run=run,
)
'''

TABLE = '''\
"""The table of the workload $name."""

from acceleray.tables.contract import INSTRUMENT, Column, Table, run_columns

$constant = Table(
    layer="gold",
    name="$name",
    comment="Mean daily return of each instrument, as $name found it.",
    scope="run_id",
    key=("run_id", "instrument_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("days", "long", "Returns that are known", "trading days"),
        Column("mean_return_1d", "double", "Mean of one-day returns", "fraction"),
    ),
    checks=(("some_days", "days > 0"),),
)

TABLES = ($constant,)
'''

TEST = '''\
"""$title: known answers of its parts, and one whole run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portfolio.workloads.$name import mean_return
from workloads.in_process import rows, run_notebook


def test_the_mean_of_three_returns_is_known() -> None:
    assert mean_return(np.array([0.01, -0.02, 0.04])) == pytest.approx(0.01)


@pytest.mark.ray
def test_each_instrument_has_one_row_and_a_second_run_adds_none(tmp_path: Path, spark: Any) -> None:
    for _ in range(2):
        ran = run_notebook("$name", tmp_path, spark)
        found = rows(spark, ran, "gold.$name")
        assert len(found) == len({row["instrument_id"] for row in found}) == 5
'''

NOTEBOOK = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # $title
# MAGIC
# MAGIC **What it answers:** say here what question this workload answers, and for whom.
# MAGIC
# MAGIC Nothing here computes: it sets parameters, makes one call and shows what came out.

# COMMAND ----------

import shlex
from pathlib import Path

from acceleray.runtime.notebook import parameters, show_report, show_table
from acceleray.runtime.progress import Reporter
from acceleray.settings import load
from acceleray.runtime.workload import execute
from portfolio import PROJECT

# COMMAND ----------

# MAGIC %md
# MAGIC ## Parameters
# MAGIC Job parameters on Databricks, `name=value` on a command line, these defaults otherwise. `set` takes
# MAGIC settings as `section.key=value`, separated by blanks; `conf/base.yml` has the names.

# COMMAND ----------

chosen = parameters(project=".", environment="local", as_of="", set="")
settings = load(
    Path(chosen["project"]).resolve(),
    chosen["environment"],
    shlex.split(chosen["set"]),
    as_of=chosen["as_of"] or None,
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Run
# MAGIC One call. Running it again with the same prices, date, settings and code changes no number.

# COMMAND ----------

outcome = execute(PROJECT.workload("$name"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. Say here what a reader should look at first.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), outcome.conclusion.headline)
show_report(outcome.conclusion.report)
"""
