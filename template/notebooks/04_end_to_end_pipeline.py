# Databricks notebook source
# MAGIC %md
# MAGIC # Calibrate → Train → Simulate → Score
# MAGIC
# MAGIC **What it answers:** how much can the book lose tomorrow, and has the model that says so been right
# MAGIC before?
# MAGIC
# MAGIC Spark ingests, joins and commits; Ray fits, trains, simulates and backtests; rows go from one to the
# MAGIC other in one direction, and every stage reads pinned Delta versions. The cells below are the recipe
# MAGIC in `src/portfolio/workloads/end_to_end_pipeline.py`, one step each.

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
from portfolio.workloads.end_to_end_pipeline import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices in, quarantine out
# MAGIC Every price is taken as received, checked, and either kept or quarantined with its reason; together
# MAGIC with the settings and the code, prices and date decide the `run_id`.
# MAGIC
# MAGIC **Spark**, because it is a join with checks and a governed write: question 1 of the decision model
# MAGIC in `engine/docs/decision_model.md`. Each table is committed once, in a Delta version that later
# MAGIC stages pin.

# COMMAND ----------

from acceleray.stages.book.stage import accept_book, build_book, examine_book, receive_book
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.limits.stage import limits_for
from acceleray.stages.train.parameters import deciding
from acceleray.tables import HOLDINGS, PRICES

received = receive_book(run)
limits = limits_for(run, received)
with run.stage("ingest", "Ingest and validate prices (Spark)"):
    loaded = ingest(run, examine_book(run, received))
    inputs = (*received.identity, *deciding(run, loaded.as_of), limits.digest)
    run.identify(loaded.load_id, loaded.as_of, inputs)
    holdings = accept_book(run, received)
show_stage(run)
show_rows(run, PRICES, "instrument_id", "date", "price")
show_rows(run, HOLDINGS, "portfolio_id", "instrument_id", "quantity", "weight")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Features: what is known on each day
# MAGIC Returns, then fourteen features of each instrument and day, ranked across instruments; nothing of a
# MAGIC later day is looked at.
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
# MAGIC ## Calibrate: a volatility model for every instrument
# MAGIC A GJR-GARCH-t is fitted to each instrument's returns on the schedule and for today; a gate says
# MAGIC whether the fits may be used. Fits that an interrupted run left are taken over.
# MAGIC
# MAGIC **Ray**, because these are thousands of independent fits of very different length that share one
# MAGIC array of returns: question 7. The driver hands the returns over as Arrow, sorted, from the version
# MAGIC shown below.

# COMMAND ----------

from acceleray.stages.calibrate.stage import calibrate
from acceleray.tables import CALIBRATION

with run.stage("calibrate", "Calibrate GJR-GARCH-t (Ray)"):
    calibration = calibrate(run)
show_stage(run)
show_rows(run, CALIBRATION, "instrument_id", "status", "persistence", "half_life_d", "next_sigma")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Train: the signal model
# MAGIC Walk-forward folds judge the model on dates it has not seen; the final one is fitted on everything
# MAGIC and goes to the registry as challenger. A gate makes it champion if its mean rank IC is above zero by
# MAGIC more than luck explains, and if it is better than the champion before.
# MAGIC
# MAGIC **Ray** for the folds, which are independent and share the examples: question 7. The final model is
# MAGIC one fit whose rows fit into one machine: question 3 says one process, so it is one task.

# COMMAND ----------

from acceleray.stages.train.stage import train
from acceleray.tables import SIGNAL_VALIDATION

with run.stage("train", "Train the signal model (Ray)"):
    trained = train(run)
calibration.gate.require()
show_stage(run)
show_rows(run, SIGNAL_VALIDATION, "fold", "train_rows", "test_rows", "rank_ic", "rank_ic_t")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Simulate: tomorrow, a hundred thousand times
# MAGIC Surprises of the past are drawn again and scaled by today's volatility; every portfolio of the book
# MAGIC is priced in every scenario.
# MAGIC
# MAGIC **Ray**, because every block of scenarios is independent and shares one large array of shocks:
# MAGIC question 7. Only sums come back, so memory stays constant however many scenarios there are.

# COMMAND ----------

from acceleray.stages.simulate.stage import simulate
from acceleray.tables import RISK_MEASURES

with run.stage("simulate", "Simulate the book (Ray)"):
    book = build_book(run, calibration.returns, calibration.usable, holdings)
    horizons = simulate(run, calibration, book)
show_stage(run)
show_rows(
    run,
    RISK_MEASURES,
    *("portfolio_id", "method", "measure", "horizon_d", "value", "standard_error", "error_of"),
    portfolio_id=[book.portfolios[0]],
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Score: instruments and portfolios
# MAGIC The model scores every instrument with features of today; scores and risk are added up for every
# MAGIC portfolio. A model that the gate refused scores nothing: portfolios then have their risk alone.
# MAGIC
# MAGIC **Ray** for the scores, because the model and NumPy see whole blocks of rows: question 7. The
# MAGIC hand-off says below which way the rows took from Spark to Ray and why; Spark commits the results.

# COMMAND ----------

from acceleray.stages.score.stage import score
from acceleray.tables import PORTFOLIO_SCORES, PREDICTIONS

with run.stage("score", "Score instruments and portfolios"):
    score(run, trained.scoring, calibration, book, horizons)
show_stage(run)
show_rows(run, PREDICTIONS, "instrument_id", "feature_date", "score")
show_rows(run, PORTFOLIO_SCORES, "portfolio_id", "expected_score", "es_pct_nav", "unpriced_pct_nav")

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
# MAGIC compared with the loss that came; the verdict counts exceptions. Ten days are counted on windows
# MAGIC that do not overlap.
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

with run.stage("backtest", "Backtest value at risk (Ray)"):
    dated = dated_books(run, calibration.returns, calibration.usable, holdings, book)
    verdict = backtest(run, calibration, book, dated=dated)
    keep_live_record(run, calibration.returns, book)
    record(run, trained.model.uri)
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
# MAGIC Look at the backtest first: a model that failed it should not be used, whatever its number is. Then
# MAGIC value at risk and expected shortfall of the whole book, at one and ten days, and a line per portfolio.
# MAGIC
# MAGIC The report is written from the committed rows; then the session closes.

# COMMAND ----------

conclusion = conclude(run, trained, book, horizons, verdict)
session.close()
show_conclusion(conclusion)
