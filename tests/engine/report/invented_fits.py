"""Invented fits, through time and now, and what ties their instruments together."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from acceleray import tables as t
from report.invented_rows import KEYS, Rows

FACTORS = ("credit", "equity", "oil", "volatility")
MONTHS = {"months": 240, "first_month": date(2003, 1, 1), "last_month": date(2022, 12, 1)}
PARAMETERS = {"mu": 5e-4, "omega": 2e-6, "alpha": 0.03, "gamma": 0.08, "beta": 0.9, "nu": 6.0}


def fill(rows: Rows, names: list[str], rejected: dict[str, str], draws: np.random.Generator) -> None:
    """Add fits of all instruments, their history, their gate, betas and correlations."""
    for name in names:
        row = _fit(name, rejected.get(name), draws) | {"previous_fitted_on": None, "volatility_drift": None}
        if name not in rejected:
            drift = {"previous_fitted_on": date(2022, 1, 3), "volatility_drift": float(draws.normal(0, 0.15))}
            row |= drift | {"filled_share": 0.0}
        rows[t.CALIBRATION].append(row)
    for year in range(2013, 2023):
        for name in names:
            day = {"fitted_on": date(year, 1, 3)}
            rows[t.CALIBRATION_HISTORY].append(_fit(name, rejected.get(name), draws) | day)
    for check, share, limit in (("converged", 0.98, 0.9), ("at_bound", 0.1, 0.5), ("drifted", 0.05, 0.25)):
        verdict = {"share": share, "limit": limit, "passed": True, "reason": f"{check} is within its limit"}
        rows[t.CALIBRATION_GATE].append(KEYS | verdict | {"check_name": check})
    fitted = sorted(name for name in names if name not in rejected)
    _factors(rows, fitted, draws)
    for place, one in enumerate(fitted):
        for other in fitted[place + 1 :]:
            value = float(draws.uniform(0.1, 0.7))
            found = {"correlation": 0.9 * value, "sample_correlation": value}
            rows[t.CORRELATIONS].append(KEYS | found | {"instrument_id": one, "other_instrument_id": other})
    if fitted:
        proof = {"smallest_eigenvalue": 0.123, "sample_smallest_eigenvalue": 0.0456, "shrinkage": 0.1}
        copula = {"copula_nu": 8.4, "copula_nu_at_bound": False}
        size = {"method": "Ledoit-Wolf towards the identity", "days": 2000, "instruments": len(fitted)}
        rows[t.DEPENDENCE].append(KEYS | proof | copula | size)


def _fit(name: str, reason: str | None, draws: np.random.Generator) -> dict[str, Any]:
    row: dict[str, Any] = {column.name: None for column in t.CALIBRATION_HISTORY.columns} | KEYS
    row |= {"instrument_id": name, "observations": 1200, "at_bound": "", "reason": "", "starts": 1}
    if reason is not None:
        return row | {"status": "rejected", "reason": reason, "converged": False}
    for parameter, value in PARAMETERS.items():
        row[parameter] = value * float(draws.uniform(0.8, 1.2))
        row[f"{parameter}_se"] = value / 10
    persistence = float(draws.uniform(0.95, 0.995))
    return row | {
        "status": "calibrated",
        "converged": True,
        "persistence": persistence,
        "half_life_d": float(np.log(0.5) / np.log(persistence)),
        "nu": float(draws.uniform(4, 9)),
        "log_likelihood": 3000.0,
        "initial_variance": 0.0003,
        "next_sigma": float(draws.uniform(0.008, 0.03)),
    }


def _factors(rows: Rows, names: list[str], draws: np.random.Generator) -> None:
    for name in names:
        explained = {"r_squared": float(draws.uniform(0.1, 0.7)), "specific_volatility": 0.06} | MONTHS
        explained |= {"sampling": "week", "changes": 4 * MONTHS["months"]}
        for factor in FACTORS:
            exposure = {"beta": float(draws.normal(0, 0.6)), "beta_se": 0.1, "reason": ""}
            rows[t.FACTOR_BETAS].append(
                KEYS | {"instrument_id": name, "factor_id": factor} | exposure | explained
            )
    for one in FACTORS:
        for other in FACTORS:
            correlation = 1.0 if one == other else 0.3
            found = {"covariance": 0.0025 * correlation, "correlation": correlation} | MONTHS
            pair = {"factor_id": one, "other_factor_id": other}
            rows[t.FACTOR_COVARIANCES].append(KEYS | pair | found)
