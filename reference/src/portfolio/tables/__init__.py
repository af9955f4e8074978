"""Every Delta table, declared once; DDL, quality checks, data dictionary and test data come from here."""

from portfolio.tables.backtest import BACKTEST_FORECASTS, BACKTEST_VERDICTS
from portfolio.tables.book import PORTFOLIO_SCORES, PORTFOLIOS, POSITIONS
from portfolio.tables.bronze import PRICES_RECEIVED
from portfolio.tables.calibration import (
    CALIBRATION,
    CALIBRATION_GATE,
    CALIBRATION_HISTORY,
    CORRELATIONS,
    DEPENDENCE,
    FACTOR_BETAS,
    FACTOR_COVARIANCES,
)
from portfolio.tables.contract import CONTRACT_VERSION, Column, Layer, Scope, Table
from portfolio.tables.evidence import RUN_TABLES, RUNS
from portfolio.tables.market import FEATURES, RETURNS
from portfolio.tables.models import PREDICTIONS, SIGNAL_VALIDATION
from portfolio.tables.risk import (
    LOSS_DISTRIBUTION,
    RISK_ATTRIBUTION,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    SCENARIO_SETS,
)
from portfolio.tables.silver import PRICES, PRICES_QUARANTINED
from portfolio.tables.stress import (
    FACTORS,
    REVERSE_STRESS,
    REVERSE_STRESS_SHOCKS,
    STRESS_ASSUMPTIONS,
    STRESS_LOSSES,
    STRESS_RETURNS,
    STRESS_SCENARIOS,
)

ALL: tuple[Table, ...] = (
    PRICES_RECEIVED,
    PRICES,
    PRICES_QUARANTINED,
    FACTORS,
    RETURNS,
    FEATURES,
    PORTFOLIOS,
    POSITIONS,
    CALIBRATION,
    CALIBRATION_HISTORY,
    CALIBRATION_GATE,
    FACTOR_BETAS,
    FACTOR_COVARIANCES,
    CORRELATIONS,
    DEPENDENCE,
    SIGNAL_VALIDATION,
    PREDICTIONS,
    SCENARIO_SETS,
    LOSS_DISTRIBUTION,
    RISK_MEASURES,
    RISK_CONTRIBUTIONS,
    RISK_ATTRIBUTION,
    STRESS_SCENARIOS,
    STRESS_ASSUMPTIONS,
    STRESS_RETURNS,
    STRESS_LOSSES,
    REVERSE_STRESS,
    REVERSE_STRESS_SHOCKS,
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
    "CALIBRATION_GATE",
    "CALIBRATION_HISTORY",
    "CONTRACT_VERSION",
    "CORRELATIONS",
    "DEPENDENCE",
    "FACTORS",
    "FACTOR_BETAS",
    "FACTOR_COVARIANCES",
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
    "REVERSE_STRESS",
    "REVERSE_STRESS_SHOCKS",
    "RISK_ATTRIBUTION",
    "RISK_CONTRIBUTIONS",
    "RISK_MEASURES",
    "RUNS",
    "RUN_TABLES",
    "SCENARIO_SETS",
    "SIGNAL_VALIDATION",
    "STRESS_ASSUMPTIONS",
    "STRESS_LOSSES",
    "STRESS_RETURNS",
    "STRESS_SCENARIOS",
    "Column",
    "Layer",
    "Scope",
    "Table",
]
