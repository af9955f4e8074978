"""A market of three instruments on two days, and what a number is made of on each."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, GjrParameters, rejected, variance_path
from acceleray.settings import Settings
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.change.steps import Inputs

NAMES = ("A", "B", "C")
DAYS = np.arange("2019-01-01", "2022-01-01", dtype="datetime64[D]")
DATES = DAYS[np.is_busday(DAYS)]
SETTINGS = Settings.model_validate(
    {
        "project": {"name": "p", "customer": "c"},
        "calibration": {"window_d": 500},
        "simulation": {"residual_window_d": 250, "horizons_d": [1, 10], "scenarios": 5000},
    }
)
PARAMETERS = GjrParameters(mu=0.0, omega=4e-6, alpha=0.05, gamma=0.06, beta=0.88, nu=6.0)
INITIAL = 1e-4


def returns(days: int = len(DATES)) -> Panel:
    """Return correlated returns of the first so many days."""
    draws = np.random.default_rng(3).standard_t(5, (len(DATES), 4)) * 0.008
    return Panel(DATES[:days], NAMES, (draws[:, :1] + draws[:, 1:])[:days])


def fitted(panel: Panel, place: int, parameters: GjrParameters = PARAMETERS) -> GjrFit:
    """Return a fit with given parameters whose volatility forecast follows from the returns."""
    seen = panel.values[-SETTINGS.calibration.window_d :, place]
    sigma = math.sqrt(float(variance_path(seen, parameters, INITIAL)[-1]))
    return GjrFit("calibrated", "", seen.size, parameters, None, 0.0, True, "", INITIAL, sigma)


def inputs(panel: Panel, weights: list[float], without: str = "", **fits: GjrFit) -> Inputs:
    """Return what a number is made of: returns, one portfolio, and models of all but one instrument."""
    found = [
        rejected("too short", 0) if name == without else fits.get(name, fitted(panel, place))
        for place, name in enumerate(NAMES)
    ]
    gate: Any = None
    book = Book.plain(["P"], NAMES, np.array([weights]), 1e6, "USD")
    return Inputs(Calibration(panel, tuple(found), gate), book)


def doubled(panel: Panel, *names: str) -> dict[str, GjrFit]:
    """Return fits whose volatility forecast is twice as high, with the same residuals."""
    fits = {name: fitted(panel, NAMES.index(name)) for name in names}
    return {name: replace(fit, next_sigma=2.0 * fit.next_sigma) for name, fit in fits.items()}
