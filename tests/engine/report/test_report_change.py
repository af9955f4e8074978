from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.change import signed
from report.invented_rows import KEYS


def changed(measure: str = "value_at_risk", **more: Any) -> dict[str, Any]:
    row = {"portfolio_id": "REFERENCE", "measure": measure, "confidence": 0.99, "horizon_d": 1}
    row |= {"run_id_before": "r-0", "as_of_before": date(2022, 12, 27), "before_pct_nav": 3.65}
    row |= {"value_pct_nav": 3.71, "change_pct_nav": 0.06, "positions_pct_nav": 0.01}
    row |= {"instruments_pct_nav": 0.0, "market_pct_nav": 0.05, "parameters_pct_nav": -0.02}
    return KEYS | row | {"remainder_pct_nav": 0.02, "reason": ""} | more


@pytest.mark.parametrize("kind", ["page", "stress_page"])
def test_the_parts_stand_between_before_and_now(
    kind: str, run_rows: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    rows = run_rows()
    known = rows[t.RISK_CHANGE]
    known += [changed("expected_shortfall", confidence=0.975), changed()]
    made = request.getfixturevalue(kind)(rows)
    said = "VaR 99 %, 1 day of Equal-weight reference went from 3.65 to 3.71 % of NAV since 27 December 2022."
    assert said in made.text
    assert made.row("Equal-weight reference", "VaR 99 %, 1 day") == [
        *("Equal-weight reference", "VaR 99 %, 1 day", "3.65", "+0.01", "0.00", "+0.05", "\u22120.02"),
        *("+0.02", "3.71", ""),
    ]


def test_what_is_new_and_what_is_not_split_say_why(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    parts = [f"{name}_pct_nav" for name in ("positions", "instruments", "market", "parameters", "remainder")]
    none = dict.fromkeys(["before_pct_nav", "change_pct_nav", *parts])
    known = rows[t.RISK_CHANGE]
    known.append(changed(**none, reason="the previous run did not report it"))
    made = page(rows)
    assert "VaR 99 %, 1 day of Equal-weight reference is 3.71 % of NAV; the previous run did not" in made.text
    assert made.row("Equal-weight reference", "VaR 99 %, 1 day")[2:] == [
        *("n/a", "n/a", "n/a", "n/a", "n/a", "n/a", "3.71", "the previous run did not report it")
    ]


def test_a_first_run_says_that_there_is_none_before(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    assert "There is no earlier run of this workload on these prices" in page(run_rows()).text


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [signed(value) for value in (0.001, -0.001, 0.01, -0.01)] == [
        "0.00",
        "0.00",
        "+0.01",
        "\u22120.01",
    ]
