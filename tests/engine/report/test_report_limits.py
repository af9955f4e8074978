from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acceleray import tables as t
from report.invented_rows import KEYS

HOSTILE = "<script>alert(1)</script>"


def used(name: str, state: str, used: float | None, **more: Any) -> dict[str, Any]:
    value = None if used is None else 0.04 * used
    row = {"limit_id": name, "portfolio_id": "REFERENCE", "measure": "value_at_risk", "horizon_d": 1}
    row |= {"unit": "% of NAV", "value": value, "limit_value": 4.0, "utilisation_pct": used, "owner": "Desk"}
    return KEYS | row | {"warning_pct": 80.0, "state": state, "reason": ""} | more


@pytest.mark.parametrize("kind", ["page", "stress_page"])
def test_breaches_are_said_first_and_shown_first(
    kind: str, run_rows: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    rows = run_rows()
    before = {"as_of_before": date(2022, 12, 27), "utilisation_before_pct": 79.96}
    known = rows[t.LIMIT_UTILISATION]
    known += [
        used("fine", "green", 50.0, owner=HOSTILE),
        used("near", "amber", 80.0, **before),
        used("over", "red", 104.0, unit="EUR", value=52_000.0, limit_value=50_000.0),
        used("unseen", "not evaluated", None, reason="this workload has no rows in gold.stress_losses"),
    ]
    made = request.getfixturevalue(kind)(rows)
    assert "1 limit is breached. Of 4 limits: 1 red, 1 amber, 1 not evaluated, 1 green." in made.text
    place = [made.markup.index(f">{name}</th>") for name in ("over", "near", "unseen", "fine")]
    assert place == sorted(place)
    whole = ("Equal-weight reference", "Value at risk, 1 d")
    assert made.row("over", "red") == [
        *("over", "red", *whole, "52,000 EUR", "50,000 EUR", "104.0 %", "n/a", "Desk", "")
    ]
    assert made.row("near")[4:8] == ["3.20 %", "4.00 %", "80.0 %", "80.0 %"]
    assert made.row("unseen")[4:] == [
        *("n/a", "4.00 %", "n/a", "n/a", "Desk", "this workload has no rows in gold.stress_losses")
    ]
    assert HOSTILE not in made.markup


def test_without_limits_the_page_says_so(run_rows: Callable[..., Any], page: Callable[..., Any]) -> None:
    assert "This run was compared with no limits" in page(run_rows()).text


def test_every_breach_is_shown_however_many_there_are(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    known = rows[t.LIMIT_UTILISATION]
    known += [used(f"over_{n:03}", "red", 101.0 + n) for n in range(70)]
    known += [used(f"near_{n:03}", "amber", 90.0) for n in range(70)]
    made = page(rows)
    assert made.markup.count('<th scope="row" class="name">over_') == 70
    assert "The 70 worst of 140" in made.text
