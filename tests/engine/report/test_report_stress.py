from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.stress.page import PAGE
from acceleray.settings import Settings

HEADLINE = "filtered_historical_calibrated"


def test_the_badge_is_the_decision_on_the_headline_model_and_on_no_other(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert "Risk stress testing Model promoted" in stress_page(rows).text
    for row in rows[t.BACKTEST_VERDICTS]:
        row["decision"] = "not promoted" if row["model"] == HEADLINE else "promoted"
    text = stress_page(rows).text
    assert "Risk stress testing Model not promoted" in text
    assert "Do not rely on the simulated numbers." in text
    rows[t.BACKTEST_VERDICTS].clear()
    text = stress_page(rows).text
    assert "Risk stress testing Not backtested" in text
    assert "treat its numbers as unverified" in text


def test_the_summary_names_the_worst_scenario_and_changes_with_it(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert (
        "The worst of 5 scenarios for the reference portfolio is \u201cFederal Reserve 2026 severely"
        " adverse\u201d: it would lose EUR 520,000 (52.0 % of NAV)."
    ) in stress_page(rows).text
    oil = next(row for row in rows[t.STRESS_LOSSES] if row["scenario_id"] == "oil_spike")
    assert oil["portfolio_id"] == "REFERENCE"
    oil |= {"loss": 610_000.0, "loss_pct_nav": 61.0}
    text = stress_page(rows).text
    assert "is \u201cOil doubles\u201d: it would lose EUR 610,000 (61.0 % of NAV)." in text
    # The parts of that row are no longer those of its loss.
    assert "The parts miss the loss by up to 63.5000 % of NAV" in text


def test_scenarios_show_reference_median_and_worst_portfolio(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows(portfolios=3)
    losses = [row for row in rows[t.STRESS_LOSSES] if row["scenario_id"] == "gfc_2008"]
    for row, value in zip(losses, (41.5, 60.25, 10.0), strict=True):
        row["loss_pct_nav"] = value
    made = stress_page(rows)
    assert made.row("Financial crisis 2008") == [
        *("Financial crisis 2008", "Replay", "415,000", "41.50 %", "41.50 %", "60.25 %"),
        "Simulated portfolio 1",
    ]


def test_a_distance_says_its_span_its_factors_and_its_months_and_a_chance_only_of_what_was_not_chosen(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    made = stress_page(rows)
    assert made.row("Financial crisis 2008", "6.1 months") == [
        *("Financial crisis 2008", "6.1 months", "3", "4.2", "1999-01 to 2018-12", "none"),
        "a window chosen for its losses: no chance is given",
    ]
    assert made.row("Federal Reserve 2026 severely adverse", "12 months")[5:] == [
        "credit, oil",
        "about one in 80 spans of 12 months under a normal law",
    ]
    assert "The data of credit and oil have ended: 1 scenario with one of them is priced" in made.text
    assert "with betas of 1999-01 to 2018-12." in made.text
    # Twenty spans of a year can bear out one in 200, and no more.
    rows[t.STRESS_SCENARIOS][-1]["normal_tail"] = 1 / 201
    assert stress_page(rows).row("Federal Reserve 2026 severely adverse", "12 months")[6] == (
        "farther than the data, 20 spans of 12 months, can tell"
    )
    for row in rows[t.STRESS_SCENARIOS]:
        row["ended_factors"] = ""
    assert "ended:" not in stress_page(rows).text


def test_a_scenario_that_was_not_run_is_listed_with_its_reason(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    made = stress_page(run_rows())
    assert made.row("Russia and LTCM 1998") == [
        "Russia and LTCM 1998",
        "Replay",
        "not run no prices before 1999",
    ]
    assert "1 scenario of 6 could not be run: Russia and LTCM 1998 (no prices before 1999)." in made.text


def test_every_published_number_is_mapped_in_full_or_says_that_it_is_not(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for number in range(60):
        rows[t.STRESS_ASSUMPTIONS].append(
            rows[t.STRESS_ASSUMPTIONS][2] | {"variable": f"variable {number}", "mapping": f"reason {number}"}
        )
    made = stress_page(rows)
    assert made.row("equity prices") == [
        *("equity prices", "\u221258 %", "core", "equity", "-58 %", "\u22120.868"),
        "our reading of equity prices",
    ]
    assert made.row("house prices")[2:6] == ["not mapped", "none", "", ""]
    for number in range(60):
        assert made.row(f"variable {number}")[-1] == f"reason {number}"
    assert "the shock and the mapping are our assumptions" in made.text


def test_attribution_of_expected_shortfall_adds_up_or_is_denounced(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    made = stress_page(rows)
    assert made.row("Filtered historical simulation", "10 days", "7.82 %")[3:] == [
        "3.91 %",
        "4.89 %",
        "\u22120.98 %",
    ]
    assert "The parts add up to the expected shortfall" in made.text
    rows[t.RISK_ATTRIBUTION][0]["specific_pct_nav"] += 0.5
    assert "The parts miss the expected shortfall by up to 0.5000 % of NAV" in stress_page(rows).text


def test_reverse_stress_is_put_in_words_for_each_method(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row in rows[t.REVERSE_STRESS]:
        if row["method"] == "linear":
            row["distance_sigma"] = 2.3263478740408408
    made = stress_page(rows)
    # One in a hundred spans of ten days is 1,000 trading days: four years of 252.
    assert made.row("10.0 %", "10 days", "Closed form")[3:] == [
        *("10.00 %", "2.3", "2.5", ""),
        "2.3 standard deviations: about once in 4.0 years under a normal law",
    ]
    assert made.row("10.0 %", "10 days", "Student-t copula on GJR-GARCH-t margins")[6:] == [
        "40",
        "25 of 10,000 simulated scenarios lose as much: about one in 400 spans of 10 days",
    ]
    assert made.row("20.0 %", "10 days", "Filtered historical simulation")[3:] == [
        *("n/a", "n/a", "n/a", "0"),
        "none of 10,000 simulated scenarios loses as much",
    ]
    assert "A loss of 10 % over 10 days lies 2.3 standard deviations away" in made.text


def test_shocks_have_a_column_for_each_target_and_method_largest_move_first(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(30)])
    chosen = {"instrument_id": "N29", "method": "t_copula", "target_loss_pct_nav": 20.0}
    next(row for row in rows[t.REVERSE_STRESS_SHOCKS] if chosen.items() <= row.items())["return"] = -0.875
    made = stress_page(rows)
    assert "the 20 of 30 that move most" in made.text
    shown = type(made)(made.markup[made.markup.index("What instruments do in these scenarios") :])
    # Historical simulation reaches the second target in no scenario: five columns, not six.
    assert shown.row("Instrument") == [
        "Instrument",
        *("\u221210 % Closed form", "\u221210 % Historical", "\u221210 % t copula"),
        *("\u221220 % Closed form", "\u221220 % t copula"),
    ]
    assert shown.row("N29")[-1] == "\u221287.5"
    assert all(name not in shown.markup.split(">N29<")[0] for name in (">N00<", ">N15<", ">N28<"))


def test_all_four_models_are_side_by_side_with_z2_and_decision(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    made = stress_page(run_rows())
    decisions = {
        name: made.row(name)[-9:]
        for name in (
            "Historical simulation",
            "EWMA normal (RiskMetrics)",
            "Filtered historical simulation, EWMA filter",
            "Filtered historical simulation, calibrated filter",
        )
    }
    assert decisions["Historical simulation"] == [
        *("1.40 to 2.10", "0.001", "0.002", "\u22120.90 \u22120.21", "0.001", "0.270"),
        *("< 0.001 < 0.001", "red \u00d72.00 yellow", "failed benchmark"),
    ]
    assert [cells[-1].split()[-1] for cells in decisions.values()] == [*(["benchmark"] * 3), "promoted"]
    assert "Z2 and the size of exceedances of expected shortfall 97.5 %" in made.text


def test_a_calibration_that_failed_its_gate_is_said_before_any_number(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert "The calibration behind this page passed all 3 checks of its gate." in stress_page(rows).text
    rows[t.CALIBRATION_GATE][2] |= {"passed": False, "reason": "half of the fits drifted"}
    first_screen = stress_page(rows).text.split("What would hurt")[0]
    assert "did not pass its gate: half of the fits drifted." in first_screen


def test_the_bars_follow_the_losses(run_rows: Callable[..., Any], drawn_page: Callable[..., Any]) -> None:
    rows = run_rows()
    before = drawn_page(rows, writer=PAGE.write).drawings
    for row in rows[t.STRESS_LOSSES]:
        if row["scenario_id"] == "gfc_2008":
            row |= {"loss_pct_nav": 33.25, "factor_pct_nav": 33.25}
    after = drawn_page(rows, writer=PAGE.write).drawings
    # The first two are the overview, which is of value at risk.
    assert any("33.2" in one for one in after[2:4])
    assert [one != other for one, other in zip(before, after, strict=True)][2:6] == [True, True, False, False]


def test_many_scenarios_are_drawn_in_part_and_listed_in_full(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    loss = next(row for row in rows[t.STRESS_LOSSES] if row["scenario_id"] == "gfc_2008")
    for number in range(50):
        identity = {"scenario_id": f"more_{number}", "title": f"Further scenario {number}"}
        rows[t.STRESS_SCENARIOS].append(rows[t.STRESS_SCENARIOS][0] | identity)
        rows[t.STRESS_LOSSES].append(loss | {"scenario_id": f"more_{number}"})
    made = drawn_page(rows, writer=PAGE.write)
    assert "Left out are the 15 smallest; the table has them." in made.text
    assert made.row("Further scenario 49")[3] == "41.50 %"


def test_a_run_with_scenarios_alone_or_simulation_alone_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    shown = (t.STRESS_SCENARIOS, t.STRESS_LOSSES, t.STRESS_ASSUMPTIONS)
    others = [table for table in t.ALL if table not in (*shown, t.PORTFOLIOS)]
    rows = run_rows()
    for table in others:
        rows[table].clear()
    text = drawn_page(rows, writer=PAGE.write).text
    assert "This run simulated nothing for the reference portfolio." in text
    assert "This run has no reverse stress of the reference portfolio." in text
    assert "There is no backtest in this run" in text
    rows = run_rows()
    for table in (*shown, t.SCENARIO_SETS, t.LOSS_DISTRIBUTION, t.RUNS):
        rows[table].clear()
    text = drawn_page(rows, writer=PAGE.write).text
    assert "This run has no stress scenarios." in text
    assert "No stress scenario could be applied to the reference portfolio." in text
    assert "portfolio lineage gold.risk_measures" in text


def test_missing_numbers_of_nullable_columns_are_called_missing(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for table in (t.STRESS_SCENARIOS, t.STRESS_ASSUMPTIONS, t.REVERSE_STRESS, t.SCENARIO_SETS):
        empty = {column.name: None for column in table.columns if column.nullable}
        for row in rows[table]:
            row |= empty
    made = drawn_page(rows, writer=PAGE.write)
    assert made.row("10.0 %", "10 days", "Closed form")[-1] == "not computed"
    assert made.row("20.0 %", "10 days", "Student-t copula on GJR-GARCH-t margins")[-1] == "not recorded"
    assert "None" not in made.text
    assert "nan" not in made.text.split()


@pytest.mark.parametrize("kept", [(), (t.PORTFOLIOS,)])
def test_with_nothing_to_say_there_is_one_plain_line(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, kept: tuple[t.Table, ...]
) -> None:
    rows = run_rows()
    for table in t.ALL:
        if table not in kept:
            rows[table].clear()
    with pytest.raises(PortfolioError, match="portfolio run risk_stress_testing"):
        PAGE.write(rows.read, page_settings, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_called_compliant_and_simulated_things_are_called_simulated(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    text = stress_page(run_rows()).text
    assert "The book is simulated." in text
    assert "11 random portfolios are made up from a seed" in text
    assert "tails are symmetric" in text
    assert "compliant" not in text.lower()
