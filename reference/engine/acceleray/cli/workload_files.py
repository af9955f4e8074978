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
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.stage import ingest
from portfolio.tables.$name import $constant


def run(run: Run) -> Conclusion:
    """Run every stage and return the headline."""
    with run.stage("ingest", "Ingest prices (Spark)"):
        loaded = ingest(run)
        # Name here the digest of whatever else decides the numbers, such as a file of yours.
        run.identify(loaded.load_id, loaded.as_of)
    with run.stage("features", "Build returns (Spark)"):
        build_returns(run)
    with run.stage("$name", "$title (Ray)"):
        found = mean_returns(run)
        record(run)
    return conclude(run, found)


def mean_returns(run: Run) -> dict[str, float]:
    """Commit and return the mean daily return of each instrument."""
    series = _returns_by_instrument(run)
    means = list(run.fan_out.map(mean_return, list(series.values())))
    rows = {"instrument_id": list(series), "days": [len(one) for one in series.values()]}
    run.commit($constant, pa.table({**rows, "mean_return_1d": means}))
    return dict(zip(series, means, strict=True))


def mean_return(returns: NDArray[np.float64]) -> float:
    """Return the mean of an instrument's daily returns; one task of the fan-out."""
    return float(np.mean(returns))


def conclude(run: Run, found: dict[str, float]) -> Conclusion:
    """Return the headline; a recipe with a page writes it here."""
    highest = 100.0 * max(found.values(), default=0.0)
    headline = (("Instruments", str(len(found))), ("Highest mean daily return", f"{highest:.3f} %"))
    return Conclusion(headline, "", None)


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
"""$title: known answers of its parts, and the whole of it on a small slice of prices."""

import numpy as np
import pytest

from acceleray.testing import SmallProject
from portfolio.tables.$name import $constant
from portfolio.workloads.$name import mean_return

NAME = "$name"


def test_the_mean_of_three_returns_is_known() -> None:
    assert mean_return(np.array([0.01, -0.02, 0.04])) == pytest.approx(0.01)


@pytest.mark.ray
def test_the_notebook_reads_and_writes_what_the_recipe_does(small: SmallProject) -> None:
    notebook = small.notebook(NAME)
    found = small.rows(notebook, $constant).to_pylist()
    assert len(found) == len({row["instrument_id"] for row in found}) == 5
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
'''

NOTEBOOK = """\
# Databricks notebook source
# MAGIC %md
# MAGIC # $title
# MAGIC
# MAGIC **Question:** state here the question that this workload answers, and its users.
# MAGIC
# MAGIC The cells below run the recipe in `src/portfolio/workloads/$name.py`, one step each.

# COMMAND ----------

# MAGIC %md
# MAGIC ## Open the session
# MAGIC No installation is needed: the project is the nearest parent folder with a `conf/base.yml`.

# COMMAND ----------

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("portfolio") is None:
    here = Path(globals().get("__file__", "notebook")).resolve()
    project = next(folder for folder in here.parents if (folder / "conf" / "base.yml").is_file())
    sys.path[:0] = [str(project / "src"), str(project / "engine")]

# COMMAND ----------

# MAGIC %md
# MAGIC Job parameters on Databricks, `name=value` on a command line. All are optional. Defaults: the
# MAGIC project of this notebook, the environment `dev` on Databricks and `local` elsewhere, the date of the
# MAGIC last price. `set` takes settings as `section.key=value`, separated by spaces; `conf/base.yml` lists
# MAGIC them.
# MAGIC
# MAGIC The session takes the run lock and starts MLflow, Spark and Ray. It closes in the last cell, when a
# MAGIC cell raises, or when this cell runs again.

# COMMAND ----------

from acceleray.runtime.notebook import parameters, settings_from, show_conclusion, show_rows, show_stage
from acceleray.runtime.session import open_session
from portfolio import PROJECT
from portfolio.workloads.$name import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices in, quarantine out
# MAGIC Every price is stored as received, checked, and accepted or quarantined with its reason. Prices,
# MAGIC date, settings and code determine the `run_id`.
# MAGIC
# MAGIC **Spark**, because this is a join with checks and a governed write: question 1 of the decision model
# MAGIC in `engine/docs/decision_model.md`. Each table is committed once, in a Delta version that later
# MAGIC stages pin.

# COMMAND ----------

from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICES

with run.stage("ingest", "Ingest prices (Spark)"):
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
show_stage(run)
show_rows(run, PRICES, "instrument_id", "date", "price")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Returns
# MAGIC One-day returns of each instrument; gaps in prices stay gaps.
# MAGIC
# MAGIC **Spark**, because this is a window over every instrument: question 1.

# COMMAND ----------

from acceleray.stages.features.stage import build_returns
from acceleray.tables import RETURNS

with run.stage("features", "Build returns (Spark)"):
    build_returns(run)
show_stage(run)
show_rows(run, RETURNS, "instrument_id", "date", "return_1d")

# COMMAND ----------

# MAGIC %md
# MAGIC ## $title
# MAGIC Describe this step here, in two sentences.
# MAGIC
# MAGIC **Ray**, because instruments are independent of each other: name here the question of the decision
# MAGIC model in `engine/docs/decision_model.md` that applies. `record` stores all table versions above as
# MAGIC lineage.

# COMMAND ----------

from acceleray.runtime.evidence import record
from portfolio.tables.$name import $constant
from portfolio.workloads.$name import mean_returns

with run.stage("$name", "$title (Ray)"):
    found = mean_returns(run)
    record(run)
show_stage(run)
show_rows(run, $constant, "instrument_id", "days", "mean_return_1d")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC Say here what to look at first.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, found)
session.close()
show_conclusion(conclusion)
"""
