# Databricks notebook source
# MAGIC %md
# MAGIC # Investment signal prioritization
# MAGIC
# MAGIC **What it answers:** which signals rank instruments better than luck, at which horizon, and is any of
# MAGIC them left once it is counted how many were looked at?
# MAGIC
# MAGIC Spark ingests prices and builds features. Ray judges each of them as a signal at each horizon: rank
# MAGIC IC, decay, turnover, net of costs, what it adds to the others, and a block bootstrap of tens of
# MAGIC thousands of replications. Nothing here computes: it sets parameters, makes one call and shows what
# MAGIC came out.

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

outcome = execute(PROJECT.workload("investment_signal_prioritization"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. How many signals survive, and how many would have looked significant each on its own.
# MAGIC 2. Anything suspect: a rank IC too good for daily prices is leakage until proven otherwise.
# MAGIC 3. For each signal the reason: which bar it fell at, or that it cleared them all.
# MAGIC 4. Its years and its decay: evidence that ended long ago, or within the week, is hard to earn from.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), (*outcome.conclusion.headline, ("verdict", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
