"""Invented stress tests of an invented book."""

from __future__ import annotations

from datetime import date

import numpy as np

from acceleray import tables as t
from report.invented_rows import KEYS, Rows

# Scenario, title, kind, loss of the reference in % of NAV; a loss of None was not run.
SCENARIOS = (
    ("gfc_2008", "Financial crisis 2008", "replay", 41.5),
    ("pandemic_2020", "Pandemic 2020", "replay", 24.25),
    ("ltcm_1998", "Russia and LTCM 1998", "replay", None),
    ("rates_up", "Equities down, credit wider", "hypothetical", 18.75),
    ("oil_spike", "Oil doubles", "hypothetical", -2.5),
    ("fed_2026", "Federal Reserve 2026 severely adverse", "supervisory", 52.0),
)
METHODS = ("linear", "filtered_historical", "t_copula")
NOT_RUN = "no prices before 1999"


def fill(rows: Rows, names: list[str], portfolios: int, draws: np.random.Generator) -> None:
    """Add scenarios with their mapping, losses of every portfolio, reverse stress and attribution."""
    for identity, title, kind, loss in SCENARIOS:
        scenario = KEYS | {"scenario_id": identity}
        replayed = kind == "replay" and loss is not None
        rows[t.STRESS_SCENARIOS].append(
            scenario
            | {
                "title": title,
                "kind": kind,
                "origin": "published by nobody" if kind == "supervisory" else "own definition",
                "status": "not run" if loss is None else "run",
                "reason": NOT_RUN if loss is None else "",
                "first_date": date(2008, 9, 1) if replayed else None,
                "last_date": date(2009, 3, 9) if replayed else None,
                "distance": None if loss is None else 4.2,
                "horizon_m": None if loss is None else 6.1 if replayed else 12.0,
                "distance_factors": 0 if loss is None else 3,
                "normal_tail": None if loss is None else 0.0125,
                "ended_factors": "credit, oil" if identity == "fed_2026" else "",
                "months": 0 if loss is None else 240,
                "first_month": None if loss is None else date(1999, 1, 1),
                "last_month": None if loss is None else date(2018, 12, 1),
            }
        )
        if loss is not None:
            _losses(rows, scenario, loss, names, portfolios, draws)
    for variable, published, factor, shock, change, role in (
        ("equity prices", "\u221258 %", "equity", "-58 %", -0.8675, "core"),
        ("oil price", "not published", "oil", "-31 %", -0.371, "implied"),
        ("house prices", "\u221230 %", None, None, None, "not mapped"),
    ):
        mapping = {"mapping": f"our reading of {variable}", "shock": shock, "factor_change": change}
        names_of = {"scenario_id": "fed_2026", "variable": variable, "published": published}
        rows[t.STRESS_ASSUMPTIONS].append(KEYS | names_of | mapping | {"factor_id": factor, "role": role})
    _second_method(rows)
    _reverse(rows, names, draws)


def _losses(
    rows: Rows, scenario: dict, loss: float, names: list[str], portfolios: int, draws: np.random.Generator
) -> None:
    for number in range(portfolios):
        lost = loss if number == 0 else loss * float(draws.uniform(0.6, 1.4))
        rows[t.STRESS_LOSSES].append(
            scenario
            | {
                "portfolio_id": "REFERENCE" if number == 0 else f"SIM-{number:06d}",
                "loss": lost * 1e4,
                "loss_pct_nav": lost,
                "factor_pct_nav": 0.75 * lost,
                "specific_pct_nav": 0.375 * lost,
                "residual_pct_nav": -0.125 * lost,
                "proxied_pct_nav": 5.0,
                "unpriced_pct_nav": 0.0,
                "currency": "EUR",
            }
        )
    for name in names:
        parts = {"factor_return": -0.3, "specific_return": -0.1, "residual_return": 0.02, "return": -0.38}
        rows[t.STRESS_RETURNS].append(scenario | parts | {"instrument_id": name, "origin": "priced"})


def _second_method(rows: Rows) -> None:
    """Add the t copula beside the method that is there, and split the expected shortfall of both."""
    copula = {"method": "t_copula"}
    for row in list(rows[t.SCENARIO_SETS]):
        rows[t.SCENARIO_SETS].append(row | copula | {"copula_nu": 8.4, "scenarios": 10_000})
    for row in list(rows[t.RISK_MEASURES]):
        more = {name: row[name] * 0.9 for name in ("value", "value_pct_nav")}
        rows[t.RISK_MEASURES].append(row | copula | more | {"error_of": "draws"})
    for row in list(rows[t.LOSS_DISTRIBUTION]):
        bounds = ("loss_from_pct_nav", "loss_to_pct_nav")
        rows[t.LOSS_DISTRIBUTION].append(row | copula | {name: 0.9 * row[name] for name in bounds})
    for row in list(rows[t.RISK_CONTRIBUTIONS]):
        rows[t.RISK_CONTRIBUTIONS].append(row | copula | {"contribution": 0.9 * row["contribution"]})
    for method, factor in (("filtered_historical", 1.0), ("t_copula", 0.9)):
        for horizon_d, scale in ((1, 1.0), (10, 3.0)):
            whole = 2.60786 * scale * factor
            parts = {"factor_pct_nav": 0.5 * whole, "specific_pct_nav": 0.625 * whole}
            parts |= {"residual_pct_nav": -0.125 * whole, "expected_shortfall_pct_nav": whole}
            key = {"method": method, "portfolio_id": "REFERENCE", "confidence": 0.975, "horizon_d": horizon_d}
            rows[t.RISK_ATTRIBUTION].append(KEYS | key | parts)


def _reverse(rows: Rows, names: list[str], draws: np.random.Generator) -> None:
    for method in METHODS:
        for target in (10.0, 20.0):
            key = KEYS | {"method": method, "target_loss_pct_nav": target, "horizon_d": 10}
            linear, out_of_reach = method == "linear", method == "filtered_historical" and target > 15
            found = {
                "portfolio_id": "REFERENCE",
                "loss_pct_nav": None if out_of_reach else target,
                "distance_sigma": None if out_of_reach else target / 3,
                "factor_distance": None if out_of_reach else target / 4,
                "averaged": None if linear else 0 if out_of_reach else 40,
                "reaching": None if linear else 0 if out_of_reach else 25,
            }
            rows[t.REVERSE_STRESS].append(key | found)
            for name in [] if out_of_reach else names:
                shock = {"portfolio_id": "REFERENCE", "instrument_id": name}
                value = -target / 100 * float(draws.uniform(0.5, 1.5))
                rows[t.REVERSE_STRESS_SHOCKS].append(key | shock | {"return": value})
