# Databricks notebook source
# MAGIC %md
# MAGIC # Batch inference: portfolio batch scoring
# MAGIC
# MAGIC **Question:** how does the champion score every instrument today, and what are the expected score,
# MAGIC the risk and the unpriced share of every portfolio?
# MAGIC
# MAGIC The model is the champion as of the date. If no model was trained yet, the run ends within seconds;
# MAGIC if the gate refused every model, no instrument is scored and portfolios have risk only. Every input
# MAGIC row is either scored, or quarantined with its reason. The cells below run the recipe in
# MAGIC `src/portfolio/workloads/batch_inference.py`, one step each.

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
from portfolio.workloads.batch_inference import WORKLOAD, conclude

settings = settings_from(parameters(project="", environment="", as_of="", set=""))
session = open_session(WORKLOAD, settings, PROJECT)
run = session.run

# COMMAND ----------

# MAGIC %md
# MAGIC ## Ingest: prices and the champion
# MAGIC Prices and factors are checked and accepted, or quarantined. The champion of the date is read from
# MAGIC the table of decisions and loaded from the registry; its bytes are part of the `run_id`.
# MAGIC
# MAGIC **Spark**, because this is a join with checks and a governed write: question 1 of the decision model
# MAGIC in `engine/docs/decision_model.md`. Each table is committed once, in a Delta version that later
# MAGIC stages pin.

# COMMAND ----------

from acceleray.stages.book.stage import accept_book, build_book, examine_book, receive_book
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.score.scorer import find_scorer
from acceleray.tables import HOLDINGS, PRICES

received = receive_book(run)
with run.stage("ingest", "Ingest data, find the champion (Spark)"):
    loaded = ingest(run, examine_book(run, received))
    scorer = find_scorer(run, loaded.as_of)
    deciding = (*received.identity, ingest_factors(run), *scorer.identity)
    run.identify(loaded.load_id, loaded.as_of, deciding)
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
calibration.gate.require()
show_stage(run)
show_rows(run, CALIBRATION, "instrument_id", "status", "persistence", "half_life_d", "next_sigma")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Factor model: betas of every instrument
# MAGIC Monthly returns of each instrument are regressed on the factors.
# MAGIC
# MAGIC **Ray**, because regressions are independent and share one array of factor changes: question 7. At
# MAGIC this size one process would do as well, but the steps before and after it need Ray.

# COMMAND ----------

from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.tables import FACTOR_BETAS

with run.stage("factor_model", "Estimate betas (Ray)"):
    factors = build_factor_model(run, calibration)
show_stage(run)
show_rows(run, FACTOR_BETAS, "instrument_id", "factor_id", "beta", "beta_se", "r_squared")

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
# MAGIC ## Score: rows in, rows out
# MAGIC Spark selects the rows to score and the rows to quarantine; the champion scores, and scores and risk
# MAGIC are aggregated per portfolio.
# MAGIC
# MAGIC **Ray** for the scores, because the model and NumPy process whole blocks of rows: question 7. The
# MAGIC hand-off prints below how the rows went from Spark to Ray, and why; Spark commits the results.

# COMMAND ----------

from acceleray.runtime.evidence import record
from acceleray.stages.score.stage import score
from acceleray.tables import PORTFOLIO_SCORES, PREDICTIONS

with run.stage("score", "Score instruments and portfolios (Ray)"):
    counts = score(run, scorer.model, calibration, book, horizons, factors)
    run.tracker.measure({"rows_in": counts.rows_in, "rows_quarantined": counts.quarantined})
    record(run, scorer.model.uri)
show_stage(run)
show_rows(run, PREDICTIONS, "instrument_id", "feature_date", "score")
show_rows(run, PORTFOLIO_SCORES, "portfolio_id", "expected_score", "es_pct_nav", "unpriced_pct_nav")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Conclude
# MAGIC Scored and quarantined rows add up to the input rows; without a champion no row is scored, and the
# MAGIC last line says so. Unpriced instruments are in no risk number, and the report lists them.
# MAGIC
# MAGIC The report is written from the committed rows. Then the session closes.

# COMMAND ----------

conclusion = conclude(run, scorer, book, horizons, counts)
session.close()
show_conclusion(conclusion)
