# Databricks notebook source
# MAGIC %md
# MAGIC # Calibrate → Train → Simulate → Score
# MAGIC
# MAGIC **What it answers:** how much can the book lose tomorrow, and has the model that says so been right
# MAGIC before?
# MAGIC
# MAGIC Spark ingests and validates prices and builds features in Delta. Ray fits a volatility model for each
# MAGIC instrument, trains the signal model, simulates the book and backtests it. Spark commits the results;
# MAGIC MLflow keeps the evidence. Nothing here computes: it sets parameters, makes one call and shows
# MAGIC what came out.

# COMMAND ----------

import shlex
from pathlib import Path

from acceleray.runtime.notebook import parameters, show_report, show_table
from acceleray.runtime.progress import Reporter
from acceleray.runtime.workload import execute
from acceleray.settings import load
from portfolio import PROJECT

# COMMAND ----------

# MAGIC %md
# MAGIC ## Parameters
# MAGIC Job parameters on Databricks, `name=value` on a command line, these defaults otherwise. `set` takes
# MAGIC settings as `section.key=value`, separated by blanks (quote a value with blanks); `conf/base.yml` has
# MAGIC the names.

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

outcome = execute(PROJECT.workload("end_to_end_pipeline"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. The backtest verdict: a model that failed it should not be used, whatever its number is.
# MAGIC 2. Value at risk and expected shortfall of the reference portfolio, at one and ten days.
# MAGIC 3. The report: exceptions through 2000, 2008 and 2020, contributions, what was not calibrated, why.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("measure", "value"), (*outcome.conclusion.headline, ("backtest", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
