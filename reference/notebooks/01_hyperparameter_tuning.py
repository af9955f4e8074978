# Databricks notebook source
# MAGIC %md
# MAGIC # Hyperparameter tuning
# MAGIC
# MAGIC **Question:** which hyperparameters of the signal model rank instruments best, and is that skill,
# MAGIC luck or leakage?
# MAGIC
# MAGIC Spark ingests prices and builds features. Ray Tune runs the trials that Optuna proposes and stops
# MAGIC most of them early. The cells below run the recipe in
# MAGIC `src/portfolio/workloads/hyperparameter_tuning.py`, one step each.

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
from portfolio.workloads.hyperparameter_tuning import WORKLOAD, conclude

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

with run.stage("features", "Build features (Spark)"):
    build_features(run)
show_stage(run)
show_rows(run, FEATURES, "instrument_id", "date", "momentum_12_1", "volatility_3m", "target")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Tune: sixty trials, most of them stopped early
# MAGIC Optuna proposes hyperparameters, a purged and embargoed walk-forward evaluates them by mean rank IC,
# MAGIC and successive halving stops the weaker trials. The best trial is tested once on a holdout and
# MAGIC corrected for the number of trials.
# MAGIC
# MAGIC **Ray**, because trials are uneven, stop early and share the examples: question 7. Each trial is a
# MAGIC child run in MLflow, and a killed search resumes where it stopped.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.tune.stage import tune
from acceleray.tables import TRIALS

with run.stage("tune", "Search hyperparameters (Ray Tune)") as stage:
    tuned = tune(run, stage)
    stage.measure({"validation_rank_ic": tuned.judged.rank_ic, "holdout_rank_ic": tuned.holdout.rank_ic})
    record(run)
show_stage(run)
show_rows(
    run, TRIALS, "trial", "status", "chosen", "rounds", "max_depth", "learning_rate", "rank_ic", limit=8
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC The verdict is one of: found, not convincing, nothing, or suspected leakage; the holdout decides.
# MAGIC The deflated Sharpe ratio corrects for the best result that so many trials would reach without
# MAGIC skill.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, tuned)
session.close()
show_conclusion(conclusion)
