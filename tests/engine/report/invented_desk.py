"""The invented run as one of a desk: a whole, two parts, and a benchmark."""

from __future__ import annotations

from typing import Any

from acceleray import tables as t
from report.invented_rows import AS_OF, KEYS, Rows

POSITION = KEYS | {"instrument_id": "AAA", "weight": 0.0, "status": "unpriced", "market_value": 0.0}
_BOOK = (
    ("DESK", "The desk", "", "BENCHMARK"),
    ("GROWTH", "Growth", "DESK", "BENCHMARK"),
    ("PAIRS", "Pairs", "DESK", ""),
    ("BENCHMARK", "Benchmark", "", ""),
)


def desk(rows: Rows) -> Rows:
    """Return the rows with the reference portfolio called DESK and three others of a desk."""
    before = {"REFERENCE": "DESK", "SIM-000001": "GROWTH", "SIM-000002": "PAIRS", "SIM-000003": "BENCHMARK"}
    for label, table in rows.tables.items():
        if not any("portfolio_id" in row for row in table):
            continue
        kept = [
            row for row in table if row["portfolio_id"] in before or row["portfolio_id"] in before.values()
        ]
        for row in kept:
            row["portfolio_id"] = before.get(row["portfolio_id"], row["portfolio_id"])
        rows.tables[label] = kept
    if rows[t.RISK_CHANGE]:
        return rows
    for place, (row, (name, title, parent, benchmark)) in enumerate(
        zip(rows[t.PORTFOLIOS], _BOOK, strict=True)
    ):
        assert row["portfolio_id"] == name
        row |= {"name": title, "origin": "reported", "parent_id": parent, "benchmark_id": benchmark}
        row |= {"place": place, "gross_exposure_pct_nav": 120.0, "net_exposure_pct_nav": 80.0}
        row |= {"cash_pct_nav": 20.0, "proxied_pct_nav": 0.0}
        row |= {"unpriced_pct_nav": 0.0, "not_modelled_pct_nav": 0.0}
    rows[t.RISK_CHANGE].append(_change("DESK", 0.4))
    rows.tables[t.STRESS_LOSSES.label] = [
        *_stress("DESK", 31.0, -2.0),
        *_stress("GROWTH", 3.0, 4.0),
    ]
    rows.tables[t.STRESS_SCENARIOS.label] = [
        _scenario(name, title, rows) for name, title in (("crash", "Crash"), ("rally", "Rally"))
    ]
    limit = KEYS | {"portfolio_id": "DESK", "measure": "value_at_risk", "horizon_d": 1, "unit": "% of NAV"}
    limit |= {"limit_value": 4.0, "warning_pct": 80.0, "owner": "Desk", "reason": ""}
    rows[t.LIMIT_UTILISATION].extend(
        [
            limit | {"limit_id": "a", "value": 2.0, "utilisation_pct": 50.0, "state": "green"},
            limit | {"limit_id": "b", "value": 4.16, "utilisation_pct": 104.0, "state": "red"},
            limit | {"limit_id": "c", "state": "not evaluated", "reason": "nothing to compare"},
        ]
    )
    headline = next(
        row for row in rows[t.BACKTEST_VERDICTS] if row["model"] == "filtered_historical_calibrated"
    )
    failed = {"portfolio_id": "GROWTH", "passed": False, "basel_zone": "red", "headline": False}
    rows[t.BACKTEST_VERDICTS].append(headline | failed)
    return rows


def _change(name: str, change: float) -> dict[str, Any]:
    row = KEYS | {"portfolio_id": name, "measure": "value_at_risk", "confidence": 0.99, "horizon_d": 1}
    row |= {"run_id_before": "r-0", "as_of_before": AS_OF, "before_pct_nav": 2.13, "value_pct_nav": 2.53}
    parts = dict.fromkeys(
        (f"{part}_pct_nav" for part in ("positions", "instruments", "market", "parameters")), 0.0
    )
    return row | parts | {"change_pct_nav": change, "remainder_pct_nav": change, "reason": ""}


def _stress(name: str, crash: float, rally: float) -> list[dict[str, Any]]:
    parts = {"factor_pct_nav": 0.0, "specific_pct_nav": 0.0, "residual_pct_nav": 0.0}
    parts |= {"proxied_pct_nav": 0.0, "unpriced_pct_nav": 0.0, "currency": "EUR"}
    return [
        KEYS | parts | {"portfolio_id": name, "scenario_id": which, "loss": 1e4 * loss, "loss_pct_nav": loss}
        for which, loss in (("crash", crash), ("rally", rally))
    ]


def _scenario(name: str, title: str, rows: Rows) -> dict[str, Any]:
    made = dict(rows[t.STRESS_SCENARIOS][0])
    return made | {"scenario_id": name, "title": title, "status": "run", "reason": ""}


def with_details(rows: Rows) -> Rows:
    """Return the rows with positions, groups and active risk of DESK and of GROWTH, which differ."""
    rows.tables[t.RISK_CONTRIBUTIONS.label] = []
    for name, exposure, component in (("DESK", 500_000.0, 15_000.0), ("GROWTH", 70_000.0, -1_500.0)):
        own = KEYS | {"portfolio_id": name, "instrument_id": "AAA", "currency": "EUR"}
        at = {"method": "filtered_historical", "horizon_d": 1, "measure": "value_at_risk", "confidence": 0.99}
        held = {"weight": exposure / 1e6, "type": "equity", "status": "priced", "reason": ""}
        rows[t.POSITIONS].append(own | held | {"market_value": exposure, "exposure": exposure})
        split = {"price_contribution": component - 1_000.0, "currency_contribution": 1_000.0}
        rows[t.RISK_CONTRIBUTIONS].append(own | at | split | {"contribution": component})
        parts = {"component": component, "marginal": component / exposure, "incremental": 9_000.0}
        rows[t.POSITION_RISK].append(own | at | parts)
        lines = {"held_on": None, "current": True, "quantity": 1.0, "groups": "{}", "file": "f", "line": 1}
        if name == "GROWTH":
            for owner in ("GROWTH", "BENCHMARK"):
                line = {"portfolio_id": owner, "position_id": f"{owner}/AAA/1", "cells": "{}"}
                rows[t.HOLDINGS].append(own | lines | line)
    base = KEYS | {"portfolio_id": "DESK", "method": "filtered_historical", "horizon_d": 1, "currency": "EUR"}
    group = base | {
        "measure": "value_at_risk",
        "confidence": 0.99,
        "grouping": "sector",
        "standard_error": 100.0,
    }
    group |= {"gross_exposure_pct_nav": 50.0, "net_exposure_pct_nav": 40.0}
    rows[t.GROUP_RISK].extend(
        group | {"group": name, "standalone": alone, "contribution": part}
        for name, alone, part in (("Energy", 20_000.0, 15_000.0), ("Health", 18_000.0, 10_000.0))
    )
    active = base | {"benchmark_id": "BENCHMARK"}
    rows[t.ACTIVE_RISK].append(
        active | {"measure": "tracking_error", "confidence": 0.0, "value": 900.0, "value_pct_nav": 0.09}
    )
    shortfall = active | {"measure": "expected_shortfall", "confidence": 0.975, "instrument_id": "AAA"}
    rows[t.ACTIVE_CONTRIBUTIONS].append(shortfall | {"contribution": 800.0})
    return rows
