# Databricks notebook source
# MAGIC %md
# MAGIC # Distributed training
# MAGIC
# MAGIC **What it answers:** does the signal model rank instruments on dates it has not seen, is it the same
# MAGIC model however many processes train it, and may it be used?
# MAGIC
# MAGIC Spark builds features. Ray validates the model on walk-forward folds, one a task, and trains the final
# MAGIC one by several processes that share its rows, with checkpoints from which a killed run goes on. MLflow
# MAGIC keeps it as challenger; the gate decides whether it becomes champion. Nothing here computes: it sets
# MAGIC parameters, makes one call and shows what came out.

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

outcome = execute(PROJECT.workload("distributed_training"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. The gate: whether this version is champion from its as-of date on, and why.
# MAGIC 2. Rank IC by fold: a mean that lives on one fold is not a signal.
# MAGIC 3. The difference from a single process, and whether one would have been enough: at this size it is.
# MAGIC 4. The model card: what the model is for, and what it is not. `portfolio rollback` goes back.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), (*outcome.conclusion.headline, ("gate", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
