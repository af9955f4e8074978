# Databricks notebook source
# MAGIC %md
# MAGIC # Portfolio model calibration
# MAGIC
# MAGIC **What it answers:** which volatility model describes each instrument today, how has it changed, and
# MAGIC may it be used?
# MAGIC
# MAGIC Spark ingests and validates prices and factors. Ray fits a GJR-GARCH-t model to every instrument on
# MAGIC every day of the schedule: thousands of independent, uneven fits; a killed run goes on where it
# MAGIC stopped. Betas, correlation and the gate follow. Nothing here computes: it sets parameters, makes
# MAGIC one call and shows what came out.

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

outcome = execute(PROJECT.workload("portfolio_model_calibration"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. The gate: simulation refuses parameters that did not pass it.
# MAGIC 2. Parameters through time: a persistence near one says that a shock does not fade within the window.
# MAGIC 3. Drift: how far volatility forecasts moved only because parameters did.
# MAGIC 4. What was rejected or failed, and why.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), (*outcome.conclusion.headline, ("gate", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
