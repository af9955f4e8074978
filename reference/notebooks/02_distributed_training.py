# Databricks notebook source
# MAGIC %md
# MAGIC # Distributed training
# MAGIC
# MAGIC **Question:** does the signal model rank instruments on unseen dates, is the model the same for any
# MAGIC number of training processes, and may it be used?
# MAGIC
# MAGIC Spark builds features. Ray validates and trains. MLflow registers the model as challenger, and a
# MAGIC gate decides whether it becomes champion. The cells below run the recipe in
# MAGIC `src/portfolio/workloads/distributed_training.py`, one step each.

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
from portfolio.workloads.distributed_training import WORKLOAD, conclude

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
from acceleray.stages.train.parameters import deciding
from acceleray.tables import PRICES

with run.stage("ingest", "Ingest and validate prices (Spark)"):
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of, deciding(run, loaded.as_of))
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
# MAGIC ## Train: validate, fit, gate
# MAGIC Walk-forward folds train on the past only. Then several processes share the rows and train the final
# MAGIC model, with checkpoints from which a killed run resumes. The gate compares it with the champion.
# MAGIC
# MAGIC **Ray** for the folds, which are independent and share the examples: question 7. The final model is
# MAGIC one fit whose rows fit into one machine, so question 3 says one process; it is trained both ways
# MAGIC here, to show that the model is the same and to measure sharing at your size.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.train.stage import train
from acceleray.tables import SIGNAL_VALIDATION, TRAINING

with run.stage("train", "Validate, train and judge the signal model (Ray)"):
    trained = train(run, distributed=True)
    record(run, trained.model.uri)
show_stage(run)
show_rows(run, SIGNAL_VALIDATION, "fold", "train_rows", "test_rows", "rank_ic", "rank_ic_t")
show_rows(run, TRAINING, "rows", "shards", "fit_s", "single_process_s", "single_process_difference")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC The gate decides whether this version is champion from its as-of date on, and gives the reason: the
# MAGIC lower end of the interval of its mean rank IC must be above zero, and so must the lower end for the
# MAGIC difference from the champion. On the sample it is refused. `portfolio rollback` restores the
# MAGIC previous champion.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, trained)
session.close()
show_conclusion(conclusion)
