# Databricks notebook source
# MAGIC %md
# MAGIC # Investment signal prioritization
# MAGIC
# MAGIC **Question:** which signals rank instruments better than luck, at which horizon, and which survive
# MAGIC the correction for the number of signals tested?
# MAGIC
# MAGIC Spark ingests prices and builds features. Ray tests each feature as a signal at each horizon. The
# MAGIC cells below run the recipe in `src/portfolio/workloads/investment_signal_prioritization.py`, one
# MAGIC step each.

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
from portfolio.workloads.investment_signal_prioritization import WORKLOAD, conclude

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
# MAGIC ## Features: data known on each day
# MAGIC Returns, then fourteen features per instrument and day, ranked across instruments; no feature uses a
# MAGIC later day.
# MAGIC
# MAGIC **Spark**, because these are windows over every instrument and a join with the market: question 1.

# COMMAND ----------

from acceleray.stages.features.stage import build_features
from acceleray.tables import FEATURES

with run.stage("features", "Build returns and features (Spark)"):
    build_features(run)
show_stage(run)
show_rows(run, FEATURES, "instrument_id", "date", "momentum_12_1", "volatility_3m", "target")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Signals: evidence after correction
# MAGIC Rank IC, decay, turnover, returns net of costs, marginal rank IC, and a block bootstrap with
# MAGIC thousands of replications; then a correction for the number of signals and horizons tested.
# MAGIC
# MAGIC **Ray**, because each signal and horizon is a task of different length, and all share the same
# MAGIC arrays: question 7. `record` stores all table versions above as lineage.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.signals.stage import prioritise
from acceleray.tables import SIGNAL_RANKS

with run.stage("signals", "Judge every signal at every horizon (Ray)"):
    found = prioritise(run)
    record(run)
show_stage(run)
show_rows(run, SIGNAL_RANKS, "signal_id", "horizon_d", "decision", "rank_ic", "t_newey_west", limit=8)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC Look at suspect signals first: a rank IC too high for daily prices is leakage until proven
# MAGIC otherwise. Then compare the number of surviving signals with the number that looks significant
# MAGIC without correction.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, found)
session.close()
show_conclusion(conclusion)
