"""The page of a calibration: exposures to factors, and the dependence between instruments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acceleray import tables as t


def test_betas_that_cannot_be_told_from_zero_are_not_coloured(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows(["AAA"])
    for row, (beta, error) in zip(
        rows[t.FACTOR_BETAS], ((0.19, 0.1), (1.2, 0.1), (-0.5, 0.1), (0.3, None)), strict=True
    ):
        row |= {"beta": beta, "beta_se": error, "r_squared": 0.42}
    made = calibration_page(rows)
    assert made.row("AAA", "0.190 (1.9)")[1:6] == [
        "0.190 (1.9)",
        "1.200 t 12.0",
        "\u22120.500 t \u22125.0",
        "0.300 (n/a)",
        "0.42",
    ]
    assert '<td class="n p3">1.200' in made.markup
    assert '<td class="n n2">\u22120.500' in made.markup
    assert '<td class="n ">0.190' in made.markup
    assert "1 of 3 betas cannot be told from zero" in made.text


def test_factors_that_have_ended_are_a_table_of_their_own_with_its_months(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows(["AAA"])
    assert "ended before the as-of date" not in calibration_page(rows).text
    then = {"months": 200, "last_month": date(2018, 12, 1)}
    for wide, live in (
        (t.ENDED_FACTOR_BETAS, t.FACTOR_BETAS),
        (t.ENDED_FACTOR_COVARIANCES, t.FACTOR_COVARIANCES),
    ):
        rows[wide].extend(row | then for row in rows[live])
        names = ("factor_id", "other_factor_id")
        rows[live][:] = [row for row in rows[live] if "credit" not in [row.get(name) for name in names]]
    made = calibration_page(rows)
    assert "The data of credit has ended before the as-of date" in made.text
    split = made.markup.index("The same with the factors whose data has ended")
    live, wide = (type(made)(part) for part in (made.markup[:split], made.markup[split:]))
    assert live.row("equity")[-2:] == ["240", "2003-01 to 2022-12"]
    assert wide.row("equity")[-2:] == ["200", "2003-01 to 2018-12"]
    assert wide.row("credit")[-2:] == ["200", "2003-01 to 2018-12"]
    with pytest.raises(AssertionError, match="no row starts with"):
        live.row("credit")


def test_an_instrument_without_betas_says_why(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row in rows[t.FACTOR_BETAS]:
        if row["instrument_id"] == "BBB":
            row |= {"beta": None, "beta_se": None, "r_squared": None, "specific_volatility": None}
            row |= {"reason": "12 months are fewer than 36", "months": 12}
    made = calibration_page(rows)
    assert made.row("BBB", "12 months are fewer than 36")
    assert "1 instrument without exposures" in made.text


def test_the_smallest_eigenvalue_is_the_proof_or_the_refutation(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.DEPENDENCE][0] |= {"smallest_eigenvalue": 0.00021, "sample_smallest_eigenvalue": -1.5e-9}
    text = calibration_page(rows).text
    assert "goes from \u22121.5e\u221209 before shrinkage to 0.00021 after it: above zero" in text
    rows[t.DEPENDENCE][0] |= {"smallest_eigenvalue": -0.01, "copula_nu_at_bound": True}
    text = calibration_page(rows).text
    assert "this matrix is not positive definite. Do not simulate with it." in text
    assert "ended at its limit" in text
