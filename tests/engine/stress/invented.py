"""A small invented market for stress tests: three instruments, four factors, two portfolios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.settings import Settings, load
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.stress.definitions import Definitions, read_definitions

FACTORS = ("credit", "equity", "oil", "volatility")
INSTRUMENTS = ("A", "B", "C")
# Every weekday of two years.
DAYS = np.arange("2019-01-01", "2021-01-01", dtype="datetime64[D]")
DATES = DAYS[np.is_busday(DAYS)]
AS_OF = date(2020, 12, 31)

# Correlations: equity with credit -0.5 and volatility -0.6, nothing with oil.
DEVIATIONS = np.array([0.1, 0.04, 0.08, 0.2])
CORRELATION = np.array(
    [[1.0, -0.5, 0.0, 0.4], [-0.5, 1.0, 0.0, -0.6], [0.0, 0.0, 1.0, 0.0], [0.4, -0.6, 0.0, 1.0]]
)
BETAS = np.array([[-0.05, 1.0, 0.0, 0.0], [0.0, 1.5, 0.2, -0.01], [np.nan] * 4])


def model() -> FactorModel:
    """Return factors that move every day; C has no betas."""
    steps = np.random.default_rng(8).normal(size=(len(DATES), 4)) * 0.01
    levels = np.exp(np.cumsum(steps, axis=0)) * np.array([2.0, 3000.0, 50.0, 20.0])
    return FactorModel(
        factors=FACTORS,
        points=(True, False, False, False),
        origin=("Moody's", "S&P", "FRED", "derived"),
        dates=DATES,
        levels=levels,
        covariance=CORRELATION * np.outer(DEVIATIONS, DEVIATIONS),
        months=300,
        betas=BETAS.copy(),
        specific_volatility=np.array([0.05, 0.06, np.nan]),
    )


def without_factors() -> FactorModel:
    """Return the model of a run without factor data."""
    return replace(
        model(),
        factors=(),
        points=(),
        origin=(),
        levels=np.empty((len(DATES), 0)),
        covariance=np.empty((0, 0)),
        betas=np.empty((3, 0)),
    )


def returns() -> Panel:
    """Return daily returns of three instruments without gaps."""
    return Panel(DATES, INSTRUMENTS, np.random.default_rng(4).normal(size=(len(DATES), 3)) * 0.02)


def book() -> Book:
    """Return an equal-weight reference and a portfolio that is short B."""
    weights = np.array([[1 / 3, 1 / 3, 1 / 3], [1.2, -0.2, 0.0]])
    return Book.plain(("REFERENCE", "SIM-000001"), INSTRUMENTS, weights, 1_000_000.0, "USD")


def project(folder: Path, text: str, **settings: str) -> Settings:
    """Return settings of a project with this stress file; settings such as factors__source="csv"."""
    conf = folder / "conf"
    conf.mkdir(exist_ok=True)
    (conf / "base.yml").write_text("project: {name: P, customer: C}\n", encoding="utf-8")
    (conf / "local.yml").write_text("profile: local\n", encoding="utf-8")
    (conf / "stress.yml").write_text(text, encoding="utf-8")
    return load(folder, overrides=[f"{key.replace('__', '.')}={value}" for key, value in settings.items()])


def defined(folder: Path, text: str) -> Definitions:
    """Return the definitions of a stress file with this text."""
    return read_definitions(project(folder, text))
