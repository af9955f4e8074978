# Databricks notebook source
# MAGIC %md
# MAGIC # Hyperparameter tuning
# MAGIC
# MAGIC **What it answers:** which hyperparameters of the signal model rank instruments best, and is that
# MAGIC skill, luck, or something that knows the future?
# MAGIC
# MAGIC Spark ingests prices and builds features. Ray Tune runs the trials that Optuna proposes and stops most
# MAGIC of them early; a purged and embargoed walk-forward judges them by mean rank IC. The best is looked at
# MAGIC once in a holdout and counted against all others: deflated Sharpe ratio, probability of overfitting.
# MAGIC A killed run goes on where it stopped. Nothing here computes: it sets parameters, makes one call and
# MAGIC shows what came out.

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

outcome = execute(PROJECT.workload("hyperparameter_tuning"), settings, Reporter(), PROJECT)

# COMMAND ----------

# MAGIC %md
# MAGIC ## What to look at
# MAGIC 1. The verdict: found, not convincing, nothing, or suspected leakage. The holdout decides.
# MAGIC 2. Skill or luck: what the best of so many trials would reach without any skill.
# MAGIC 3. Trials: where they were stopped, and which region of the parameters is good.
# MAGIC 4. Leakage: on real daily prices a rank IC above 0.1 is a reason to doubt.

# COMMAND ----------

show_table(("stage", "rows written", "seconds"), outcome.stages)
show_table(("what", "value"), (*outcome.conclusion.headline, ("verdict", outcome.conclusion.verdict)))
show_report(outcome.conclusion.report)
