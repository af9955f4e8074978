from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray import tables as t


def test_quarantined_prices_are_counted_by_reason_with_examples(
    run_rows: Callable[..., Any], page: Callable[..., Any], move_to_quarantine: Callable[..., None]
) -> None:
    rows = run_rows()
    days = sorted({row["date"] for row in rows[t.PRICES]})
    move_to_quarantine(rows, "AAA", days[3], "-1", "price is not positive")
    move_to_quarantine(rows, "BBB", days[5], "0", "price is not positive")
    move_to_quarantine(rows, "CCC", days[0], "n.a.", "price is not a number")
    made = page(rows)
    assert made.row("price is not positive")[1:] == [
        "2",
        "2",
        f"AAA on {days[3]}: '-1' BBB on {days[5]}: '0'",
    ]
    text = made.text
    assert "Prices received 60 Accepted 57 Quarantined 3" in text
    assert "do not add up" not in text
    # The gaps that quarantine leaves are gaps: in between, and before the first price.
    assert made.row("AAA", str(days[0]))[3:] == ["19", "1", "0", "0"]
    assert made.row("CCC", str(days[1]))[3:] == ["19", "0", "1", "0"]


def test_nothing_quarantined_and_no_gaps_are_said_in_words(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    text = page(run_rows()).text
    assert "No price was quarantined." in text
    assert "no gaps, no late starts, no early ends" in text


def test_rows_that_vanished_between_bronze_and_silver_are_noticed(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.PRICES].pop()
    assert "do not add up: 60 received, 59 accounted for" in page(rows).text


def test_lineage_resolves_the_first_number_and_lists_versions_in_the_order_of_stages(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    made = page(run_rows())
    assert (
        "portfolio lineage gold.risk_measures run_id=r-test-0001 method=filtered_historical"
        " portfolio_id=REFERENCE measure=value_at_risk confidence=0.99 horizon_d=1"
    ) in made.text
    assert made.row("ingest", "wrote", "silver.prices", "41", "1,234")
    assert made.row("simulate", "read", "gold.returns", "41", "1,234")
    # A stage is named once; its further tables follow without it.
    assert made.row("", "wrote", "gold.risk_measures", "41", "1,234")
    assert (
        made.markup.index(">silver.prices<")
        < made.markup.index(">gold.returns<")
        < made.markup.index(">gold.risk_measures<")
    )
    assert made.row("MLflow run", "0123456789abcdef")
    assert made.row("Seed", "20260101")


def test_a_run_without_evidence_of_models_or_lineage_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for table in (
        *(t.RUNS, t.RUN_TABLES, t.SIGNAL_VALIDATION, t.PREDICTIONS, t.LOSS_DISTRIBUTION),
        *(t.SCENARIO_SETS, t.PORTFOLIO_SCORES, t.CALIBRATION, t.PRICES, t.PRICES_RECEIVED),
    ):
        rows[table].clear()
    text = drawn_page(rows).text
    assert "not recorded" in text
    assert "This run scored no portfolios." in text


def test_price_tables_are_asked_for_without_their_prices(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    page(rows)
    asked = {table.label: set(table.column_names) for table in rows.asked}
    assert asked["bronze.prices_received"] == {"instrument_id"}
    assert "price" not in asked["silver.prices"]
    assert "gold.positions" not in asked
