# Databricks notebook source
# MAGIC %md
# MAGIC # Portfolio model calibration
# MAGIC
# MAGIC **Question:** which volatility model describes each instrument today, how has it changed, and may it
# MAGIC be used?
# MAGIC
# MAGIC Spark ingests and validates prices and factors. Ray fits; a killed run resumes where it stopped. The
# MAGIC cells below run the recipe in `src/portfolio/workloads/portfolio_model_calibration.py`, one step
# MAGIC each.

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
from portfolio.workloads.portfolio_model_calibration import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices in, quarantine out
# MAGIC Prices are checked and accepted, or quarantined with their reason; factor levels are read as well.
# MAGIC Prices, factors, settings and code determine the `run_id`.
# MAGIC
# MAGIC **Spark**, because this is a join with checks and a governed write: question 1 of the decision model
# MAGIC in `engine/docs/decision_model.md`. Each table is committed once, in a Delta version that later
# MAGIC stages pin.

# COMMAND ----------

from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICES

with run.stage("ingest", "Ingest prices and factors (Spark)"):
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of, (ingest_factors(run),))
show_stage(run)
show_rows(run, PRICES, "instrument_id", "date", "price")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Returns
# MAGIC Returns of each instrument from risk day to risk day: a gap loses no price move, and a closed market
# MAGIC has no return.
# MAGIC
# MAGIC **Spark**, because this is one function over every instrument: question 1.

# COMMAND ----------

from acceleray.stages.features.stage import build_returns
from acceleray.tables import RETURNS

with run.stage("features", "Build returns (Spark)"):
    build_returns(run)
show_stage(run)
show_rows(run, RETURNS, "instrument_id", "date", "return_1d")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Calibrate: a volatility model for every instrument
# MAGIC A GJR-GARCH-t model is fitted to the returns of each instrument on every day of the schedule; a gate
# MAGIC decides whether the fits may be used. Fits of an interrupted run are reused.
# MAGIC
# MAGIC **Ray**, because these are hundreds of independent fits of very different length that share one
# MAGIC array of returns: question 7. The driver passes the returns to Ray as sorted Arrow data, from the
# MAGIC version shown below.

# COMMAND ----------

from acceleray.stages.calibrate.stage import calibrate
from acceleray.tables import CALIBRATION

with run.stage("calibrate", "Calibrate GJR-GARCH-t on schedule (Ray)"):
    calibration = calibrate(run)
show_stage(run)
show_rows(run, CALIBRATION, "instrument_id", "status", "persistence", "half_life_d", "next_sigma")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Dependence: betas and correlation
# MAGIC Monthly returns are regressed on the factors; the rank correlation of standardised residuals is
# MAGIC shrunk, and the tails of a t copula are fitted to them.
# MAGIC
# MAGIC **Ray** for the regressions, which share one array: question 7. Correlation is one fit whose rows
# MAGIC fit into one machine, question 3: it is a single task. `record` stores all table versions above as
# MAGIC lineage.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.calibrate.dependence import build_dependence
from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.tables import DEPENDENCE, FACTOR_BETAS

with run.stage("dependence", "Estimate betas and correlation (Ray)"):
    build_factor_model(run, calibration)
    dependence = build_dependence(run, calibration)
    record(run)
show_stage(run)
show_rows(run, FACTOR_BETAS, "instrument_id", "factor_id", "beta", "beta_se", "r_squared")
show_rows(run, DEPENDENCE, "days", "instruments", "shrinkage", "smallest_eigenvalue", "copula_nu")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC Look at the gate first: simulation refuses parameters that did not pass it. With a persistence near
# MAGIC one, a shock does not fade within the window.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, calibration, dependence)
session.close()
show_conclusion(conclusion)
