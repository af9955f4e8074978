# Databricks notebook source
# MAGIC %md
# MAGIC # Risk stress testing
# MAGIC
# MAGIC **What it answers:** what does the book lose if history repeats, if factors move as a supervisor
# MAGIC says, in the worst of a million scenarios; what would it take to lose a given amount; and has the
# MAGIC model been right before?
# MAGIC
# MAGIC Spark holds prices, factors and results. Ray calibrates, simulates in constant memory by two methods
# MAGIC and backtests four models. Stress definitions are in `conf/stress.yml`. Nothing here computes: it
# MAGIC sets parameters, makes one call and shows what came out.

# COMMAND ----------

import shlex
from pathlib import Path

from acceleray.runtime.notebook import parameters, show_comparison, show_report, show_table
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

outcome = execute(PROJECT.workload("risk_stress_testing"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. The backtest: a model that was not promoted should not be used, whatever its number is.
# MAGIC 2. Losses by scenario, and how much of each the factors explain.
# MAGIC 3. The mapping of supervisory scenarios: it is an assumption, row by row.
# MAGIC 4. Reverse stress: how many standard deviations away a given loss is.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("measure", "value"), (*outcome.conclusion.headline, ("backtest", outcome.conclusion.verdict)))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Four models, one record
# MAGIC A p-value below 0.05 rejects; simpler models show what calibration buys. The Basel zone is of the last
# MAGIC 250 days, everything else of all of them. Z2 of expected shortfall is negative where it was too mild.

# COMMAND ----------

show_comparison(outcome.conclusion.comparison)

# COMMAND ----------

show_report(outcome.conclusion.report)
