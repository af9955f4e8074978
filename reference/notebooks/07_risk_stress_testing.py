# Databricks notebook source
# MAGIC %md
# MAGIC # Risk stress testing
# MAGIC
# MAGIC **What it answers:** what does the book lose if history repeats, if factors move as a supervisor
# MAGIC says, in the worst of a million scenarios; what would it take to lose a given amount; and has the
# MAGIC model been right before?
# MAGIC
# MAGIC Spark holds prices, factors and results. Ray calibrates, simulates in constant memory by two methods
# MAGIC and backtests four models. The cells below are the recipe in
# MAGIC `src/portfolio/workloads/risk_stress_testing.py`, one step each.

# COMMAND ----------

# MAGIC %md
# MAGIC ## Open the session
# MAGIC Nothing has to be installed: the project is the first folder above this notebook with a
# MAGIC `conf/base.yml`.

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
# MAGIC Job parameters on Databricks, `name=value` on a command line. All may stay empty: then the project
# MAGIC is the one around this notebook, the environment `dev` on Databricks and `local` elsewhere, the date
# MAGIC that of the last price. `set` takes settings as `section.key=value`, separated by blanks;
# MAGIC `conf/base.yml` has the names.
# MAGIC
# MAGIC The session takes the run lock and starts MLflow, Spark and Ray. It closes in the last cell, or as
# MAGIC soon as a cell raises, or when this cell runs again.

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
# MAGIC ## Ingest: prices, factors and definitions in
# MAGIC The stress definitions in `conf/stress.yml` and the limits in `conf/limits.yml` are read and checked;
# MAGIC prices are kept or quarantined, and levels of the factors come in next to them. All of it decides
# MAGIC the `run_id`.
# MAGIC
# MAGIC **Spark**, because it is a join with checks and a governed write: question 1 of the decision model
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
# MAGIC Returns of each instrument from risk day to risk day: a gap loses no move, and a closed market
# MAGIC earns nothing.
# MAGIC
# MAGIC **Spark**, because it is one function over every instrument: question 1.

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
# MAGIC A GJR-GARCH-t is fitted to each instrument's returns on each day of the schedule; a gate says
# MAGIC whether the fits may be used. Fits that an interrupted run left are taken over.
# MAGIC
# MAGIC **Ray**, because these are thousands of independent fits of very different length that share one
# MAGIC array of returns: question 7. The driver hands the returns over as Arrow, sorted, from the version
# MAGIC shown below.

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
# MAGIC Betas say how instruments answer to factors, the correlation how their surprises come together; a
# MAGIC definition that the factors cannot carry is refused here, before anything long begins.
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
# MAGIC Shocks of the past are drawn again, and from a t copula too; every portfolio is priced in every
# MAGIC scenario.
# MAGIC
# MAGIC **Ray**, because every block of scenarios is independent and shares one large array of shocks:
# MAGIC question 7. Only sums come back, so memory stays constant however many scenarios there are.

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
# MAGIC Historical episodes are replayed, factor shocks go through the betas, and for each target loss the
# MAGIC scenarios that lose about as much are averaged.
# MAGIC
# MAGIC **One process**, because it is some matrix products over arrays that are in memory already: question
# MAGIC 4. Spark commits the results.

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
# MAGIC ## Change: what moved the numbers since the last report
# MAGIC The newest earlier run is taken up again and one input swapped at a time, in a stated order:
# MAGIC positions, new and ended instruments, new returns with their volatility, the models' parameters. The
# MAGIC parts add up; what none of them explains is the remainder. The first run has nothing to compare with.
# MAGIC
# MAGIC **Ray**, because each step is a simulation: question 7. One day is every past day once; ten days draw
# MAGIC the same scenarios as the report did.

# COMMAND ----------

from acceleray.stages.change.stage import explain_change
from acceleray.tables import RISK_CHANGE

with run.stage("change", "Explain what changed (Ray)"):
    explain_change(run, calibration, book, horizons)
show_stage(run)
show_rows(run, RISK_CHANGE, "portfolio_id", "measure", "horizon_d", "before_pct_nav", "value_pct_nav")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Limits: what may be risked, and what is
# MAGIC Each limit of `conf/limits.yml` that counts today is compared with what this run found: green, amber
# MAGIC from its warning level on, red above it. What this workload does not compute is not evaluated, and
# MAGIC says so.
# MAGIC
# MAGIC On the driver, because a few numbers are compared with a few others; **Spark** commits them.

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
# MAGIC Value at risk and expected shortfall of every past day, each from what was known the day before, are
# MAGIC compared with the loss that came; the verdict counts exceptions. Ten days and the t copula are
# MAGIC counted on windows that do not overlap.
# MAGIC
# MAGIC **Ray**, because blocks of days are independent and share residuals and weights: question 7. Spark
# MAGIC says which fit was in force when, and commits. Each portfolio is judged by today's positions on past
# MAGIC days. `keep_live_record` keeps what is reported today, and joins the P&L of the day after to what was
# MAGIC reported before. `record` writes down every table version above: that is the lineage.

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
# MAGIC Look at the backtest first: a model that was not promoted should not be used, whatever its number
# MAGIC is. The gate asks for no red Basel zone, a rate of exceptions near enough to the expected one, and
# MAGIC four tests at one level; simpler models on the same days show what calibration buys. Z2 of expected
# MAGIC shortfall is negative where it was too mild. The mapping of supervisory scenarios is an assumption,
# MAGIC row by row.
# MAGIC
# MAGIC The report is written from the committed rows; then the session closes.

# COMMAND ----------

conclusion = conclude(run, horizons, summary, verdict)
session.close()
show_conclusion(conclusion)
