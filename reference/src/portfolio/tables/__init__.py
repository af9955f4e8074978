"""Every Delta table, declared once; DDL, quality checks, data dictionary and test data come from here."""

from portfolio.tables.backtest import BACKTEST_FORECASTS, BACKTEST_VERDICTS
from portfolio.tables.book import PORTFOLIO_SCORES, PORTFOLIOS, POSITIONS
from portfolio.tables.bronze import PRICES_RECEIVED
from portfolio.tables.contract import CONTRACT_VERSION, Column, Layer, Scope, Table
from portfolio.tables.evidence import RUN_TABLES, RUNS
from portfolio.tables.market import FEATURES, RETURNS
from portfolio.tables.models import CALIBRATION, PREDICTIONS, SIGNAL_VALIDATION
from portfolio.tables.risk import LOSS_DISTRIBUTION, RISK_CONTRIBUTIONS, RISK_MEASURES, SCENARIO_SETS
from portfolio.tables.silver import PRICES, PRICES_QUARANTINED

ALL: tuple[Table, ...] = (
    PRICES_RECEIVED,
    PRICES,
    PRICES_QUARANTINED,
    RETURNS,
    FEATURES,
    PORTFOLIOS,
    POSITIONS,
    CALIBRATION,
    SIGNAL_VALIDATION,
    PREDICTIONS,
    SCENARIO_SETS,
    LOSS_DISTRIBUTION,
    RISK_MEASURES,
    RISK_CONTRIBUTIONS,
    PORTFOLIO_SCORES,
    BACKTEST_FORECASTS,
    BACKTEST_VERDICTS,
    RUNS,
    RUN_TABLES,
)

__all__ = [
    "ALL",
    "BACKTEST_FORECASTS",
    "BACKTEST_VERDICTS",
    "CALIBRATION",
    "CONTRACT_VERSION",
    "FEATURES",
    "LOSS_DISTRIBUTION",
    "PORTFOLIOS",
    "PORTFOLIO_SCORES",
    "POSITIONS",
    "PREDICTIONS",
    "PRICES",
    "PRICES_QUARANTINED",
    "PRICES_RECEIVED",
    "RETURNS",
    "RISK_CONTRIBUTIONS",
    "RISK_MEASURES",
    "RUNS",
    "RUN_TABLES",
    "SCENARIO_SETS",
    "SIGNAL_VALIDATION",
    "Column",
    "Layer",
    "Scope",
    "Table",
]
