# Databricks notebook source
# MAGIC %md
# MAGIC # Risk stress testing
# MAGIC
# MAGIC **Question:** how much does the book lose if history repeats, in a supervisory scenario, and in the
# MAGIC worst of a million scenarios; which scenario causes a given loss; and has the model been right in
# MAGIC the past?
# MAGIC
# MAGIC Spark stores prices, factors and results. Ray calibrates, simulates in constant memory by two
# MAGIC methods and backtests four models. The cells below run the recipe in
# MAGIC `src/portfolio/workloads/risk_stress_testing.py`, one step each.

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
from portfolio.workloads.risk_stress_testing import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices, factors and definitions
# MAGIC The stress definitions in `conf/stress.yml` and the limits in `conf/limits.yml` are read and
# MAGIC checked, prices are accepted or quarantined, and factor levels are read. All of them determine the
# MAGIC `run_id`.
# MAGIC
# MAGIC **Spark**, because this is a join with checks and a governed write: question 1 of the decision model
# MAGIC in `engine/docs/decision_model.md`. Each table is committed once, in a Delta version that later
# MAGIC stages pin.

# COMMAND ----------

from acceleray.stages.book.stage import accept_book, build_book, examine_book, receive_book
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.limits.stage import limits_for
from acceleray.stages.stress.stage import read_definitions
from acceleray.tables import HOLDINGS, PRICES

definitions, received = read_definitions(run.settings), receive_book(run)
limits = limits_for(run, received)
with run.stage("ingest", "Ingest prices and factors (Spark)"):
    loaded = ingest(run, examine_book(run, received))
    deciding = (*received.identity, ingest_factors(run), definitions.digest, limits.digest)
    run.identify(loaded.load_id, loaded.as_of, deciding)
    holdings = accept_book(run, received)
show_stage(run)
show_rows(run, PRICES, "instrument_id", "date", "price")
show_rows(run, HOLDINGS, "portfolio_id", "instrument_id", "quantity", "weight")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Returns
# MAGIC Returns of each instrument from risk day to risk day: a gap loses no price move, and a closed market
# MAGIC has no return.
# MAGIC
# MAGIC **Spark**, because this is one function over every instrument: question 1.

# COMMAND ----------

from acceleray.stages.features.stage import build_returns
from acceleray.tables import RETURNS

with run.stage("features", "Build returns (Spark)"):
    build_returns(run)
show_stage(run)
show_rows(run, RETURNS, "instrument_id", "date", "return_1d")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Calibrate: a volatility model for every instrument
# MAGIC A GJR-GARCH-t model is fitted to the returns of each instrument on every day of the schedule; a gate
# MAGIC decides whether the fits may be used. Fits of an interrupted run are reused.
# MAGIC
# MAGIC **Ray**, because these are hundreds of independent fits of very different length that share one
# MAGIC array of returns: question 7. The driver passes the returns to Ray as sorted Arrow data, from the
# MAGIC version shown below.

# COMMAND ----------

from acceleray.stages.calibrate.stage import calibrate
from acceleray.tables import CALIBRATION

with run.stage("calibrate", "Calibrate GJR-GARCH-t on schedule (Ray)"):
    calibration = calibrate(run)
calibration.gate.require()
show_stage(run)
show_rows(run, CALIBRATION, "instrument_id", "status", "persistence", "half_life_d", "next_sigma")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Dependence: betas and correlation
# MAGIC Betas measure the sensitivity to factors, the correlation the dependence of residuals. A stress
# MAGIC definition that contradicts the factor model is refused here, before any long computation.
# MAGIC
# MAGIC **Ray** for the regressions, which share one array: question 7. Correlation is one fit whose rows
# MAGIC fit into one machine, question 3: it is a single task.

# COMMAND ----------

from acceleray.stages.calibrate.dependence import build_dependence
from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.stages.stress.stage import refuse_impossible
from acceleray.tables import FACTOR_BETAS

with run.stage("dependence", "Estimate betas and correlation (Ray)"):
    model = build_factor_model(run, calibration)
    refuse_impossible(definitions, model)
    dependence = build_dependence(run, calibration)
show_stage(run)
show_rows(run, FACTOR_BETAS, "instrument_id", "factor_id", "beta", "beta_se", "r_squared")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Simulate: a million scenarios, two methods
# MAGIC Shocks are drawn from past residuals and from a t copula; every portfolio is valued in every
# MAGIC scenario.
# MAGIC
# MAGIC **Ray**, because every block of scenarios is independent and shares one large array of shocks:
# MAGIC question 7. Only sums are returned, so memory does not depend on the number of scenarios.

# COMMAND ----------

from acceleray.stages.simulate.stage import simulate
from acceleray.tables import RISK_MEASURES

with run.stage("simulate", "Simulate the book, two methods (Ray)"):
    book = build_book(run, calibration.returns, calibration.usable, holdings)
    horizons = simulate(
        run,
        calibration,
        book,
        scenarios=run.settings.stress.scenarios,
        dependence=dependence,
        targets=definitions.reverse_targets,
        factors=model,
    )
show_stage(run)
show_rows(
    run,
    RISK_MEASURES,
    *("portfolio_id", "method", "measure", "horizon_d", "value", "standard_error", "error_of"),
    portfolio_id=[book.portfolios[0]],
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Stress: replay, shock, reverse
# MAGIC Historical episodes are replayed, factor shocks are applied through the betas, and for each target
# MAGIC loss the scenarios with about that loss are averaged.
# MAGIC
# MAGIC **One process**, because these are a few matrix products over arrays in memory: question 4. Spark
# MAGIC commits the results.

# COMMAND ----------

from acceleray.stages.stress.stage import stress
from acceleray.tables import REVERSE_STRESS, STRESS_LOSSES

with run.stage("stress", "Replay, shock and reverse"):
    summary = stress(run, calibration, book, model, dependence, definitions, horizons)
show_stage(run)
show_rows(
    run, STRESS_LOSSES, "scenario_id", "loss_pct_nav", "factor_pct_nav", portfolio_id=[book.portfolios[0]]
)
show_rows(run, REVERSE_STRESS, "method", "target_loss_pct_nav", "distance_sigma", "factor_distance")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Change: risk explained since the last report
# MAGIC Starting from the newest earlier run, one input at a time is replaced, in a fixed order: positions,
# MAGIC new and ended instruments, new returns with their volatility, model parameters. The parts add up;
# MAGIC the unexplained rest is the remainder. The first run has no earlier run to compare with.
# MAGIC
# MAGIC **Ray**, because each step is a simulation: question 7. The one-day horizon uses every past day
# MAGIC once; the ten-day horizon draws the same scenarios as the report.

# COMMAND ----------

from acceleray.stages.change.stage import explain_change
from acceleray.tables import RISK_CHANGE

with run.stage("change", "Explain what changed (Ray)"):
    explain_change(run, calibration, book, horizons)
show_stage(run)
show_rows(run, RISK_CHANGE, "portfolio_id", "measure", "horizon_d", "before_pct_nav", "value_pct_nav")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Limits: limit utilisation
# MAGIC Each valid limit of `conf/limits.yml` is compared with the results of this run: green, amber above
# MAGIC its warning level, red above the limit. A measure that this workload does not compute is reported as
# MAGIC not evaluated.
# MAGIC
# MAGIC On the driver, because only a few numbers are compared; **Spark** commits them.

# COMMAND ----------

from acceleray.stages.limits.stage import compare_with_limits
from acceleray.tables import LIMIT_UTILISATION

with run.stage("limits", "Compare with limits"):
    compare_with_limits(run, limits)
show_stage(run)
show_rows(run, LIMIT_UTILISATION, "limit_id", "portfolio_id", "value", "unit", "utilisation_pct", "state")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Backtest: has the model been right before?
# MAGIC Value at risk and expected shortfall of every past day, forecast from data up to the day before, are
# MAGIC compared with the realised loss; the verdict counts exceptions. The ten-day horizon and the t copula
# MAGIC are tested on non-overlapping windows.
# MAGIC
# MAGIC **Ray**, because blocks of days are independent and share residuals and weights: question 7. Spark
# MAGIC joins each day with the fit in force, and commits. Each portfolio is tested with today's positions
# MAGIC on past days. `keep_live_record` stores the risk reported today, and joins earlier reported risk
# MAGIC with the P&L of the following day. `record` stores all table versions above as lineage.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.backtest.live.stage import keep_live_record
from acceleray.stages.backtest.stage import backtest
from acceleray.stages.book.dated import dated_books
from acceleray.tables import BACKTEST_HORIZONS, BACKTEST_VERDICTS

with run.stage("backtest", "Backtest VaR and expected shortfall (Ray)"):
    dated = dated_books(run, calibration.returns, calibration.usable, holdings, book)
    verdict = backtest(run, calibration, book, copula=True, dated=dated)
    keep_live_record(run, calibration.returns, book)
    record(run)
show_stage(run)
show_rows(
    run, BACKTEST_VERDICTS, "portfolio_id", "model", "days", "exceptions", "basel_zone", "passed", "decision"
)
show_rows(
    run, BACKTEST_HORIZONS, "method", "horizon_d", "windows", "exceptions", "expected_exceptions", "kupiec_p"
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC Look at the backtest first: do not use a model that was not promoted. The gate requires no red Basel
# MAGIC zone, an exception rate close to the expected one, and four tests at one joint level; simpler models
# MAGIC on the same days show the benefit of calibration. Z2 of expected shortfall is negative if ES was too
# MAGIC low. The mapping of each row of a supervisory scenario is an assumption.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, horizons, summary, verdict)
session.close()
show_conclusion(conclusion)
