# Databricks notebook source
# MAGIC %md
# MAGIC # Batch inference: portfolio batch scoring
# MAGIC
# MAGIC **What it answers:** what does the model in charge say of every instrument today, and what does every
# MAGIC portfolio expect, risk and leave unpriced?
# MAGIC
# MAGIC The model is the one that was champion as of the date; without one the run ends within seconds. Spark
# MAGIC ingests prices, builds features and says what is to be scored. Ray scores rows, fits volatility models
# MAGIC and simulates every portfolio. Every row that comes in comes out: scored, or quarantined with its
# MAGIC reason. Nothing here computes: it sets parameters, makes one call and shows what came out.

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

outcome = execute(PROJECT.workload("batch_inference"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. Rows in are rows scored and rows quarantined; the reasons are on the page.
# MAGIC 2. The champion: its version, since when, and why it was promoted.
# MAGIC 3. The riskiest portfolios, and which instruments make them risky.
# MAGIC 4. What could not be priced: it is in no risk number.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), (*outcome.conclusion.headline, ("rows", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
