# Databricks notebook source
# MAGIC %md
# MAGIC # Calibrate → Train → Simulate → Score
# MAGIC
# MAGIC **Question:** how much can the book lose tomorrow, and has the model been right in the past?
# MAGIC
# MAGIC Spark ingests, joins and commits; Ray fits, trains, simulates and backtests; rows flow in one
# MAGIC direction, and every stage reads pinned Delta versions. The cells below run the recipe in
# MAGIC `src/portfolio/workloads/end_to_end_pipeline.py`, one step each.

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
from portfolio.workloads.end_to_end_pipeline import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices in, quarantine out
# MAGIC Every price is stored as received, checked, and accepted or quarantined with its reason. Prices,
# MAGIC date, settings and code determine the `run_id`.
# MAGIC
# MAGIC **Spark**, because this is a join with checks and a governed write: question 1 of the decision model
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
# MAGIC ## Features: data known on each day
# MAGIC Returns, then fourteen features per instrument and day, ranked across instruments; no feature uses a
# MAGIC later day.
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
# MAGIC A GJR-GARCH-t model is fitted to the returns of each instrument on every day of the schedule and
# MAGIC today; a gate decides whether the fits may be used. Fits of an interrupted run are reused.
# MAGIC
# MAGIC **Ray**, because these are hundreds of independent fits of very different length that share one
# MAGIC array of returns: question 7. The driver passes the returns to Ray as sorted Arrow data, from the
# MAGIC version shown below.

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
# MAGIC Walk-forward folds test the model on unseen dates; the final model is fitted on all dates and
# MAGIC registered as challenger. A gate makes it champion if its mean rank IC is above zero by more than
# MAGIC luck explains, and if it beats the current champion.
# MAGIC
# MAGIC **Ray** for the folds, which are independent and share the examples: question 7. The final model is
# MAGIC one fit whose rows fit into one machine, so question 3 says one process: it is a single task.

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
# MAGIC Past residuals are drawn and scaled by today's volatility; every portfolio of the book is valued in
# MAGIC every scenario.
# MAGIC
# MAGIC **Ray**, because every block of scenarios is independent and shares one large array of shocks:
# MAGIC question 7. Only sums are returned, so memory does not depend on the number of scenarios.

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
# MAGIC The model scores every instrument from today's features; scores and risk are aggregated per
# MAGIC portfolio. A model refused by the gate scores nothing: portfolios then have risk only.
# MAGIC
# MAGIC **Ray** for the scores, because the model and NumPy process whole blocks of rows: question 7. The
# MAGIC hand-off prints below how the rows went from Spark to Ray, and why; Spark commits the results.

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
# MAGIC compared with the realised loss; the verdict counts exceptions. The ten-day horizon is tested on
# MAGIC non-overlapping windows.
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
# MAGIC Look at the backtest first: do not use a model that failed it. Then look at value at risk and
# MAGIC expected shortfall of the whole book, over one and ten days, and at the line of each portfolio.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, trained, book, horizons, verdict)
session.close()
show_conclusion(conclusion)
