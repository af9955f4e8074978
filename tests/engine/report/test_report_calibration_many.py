"""The page of a calibration of many instruments: what is shown, what is summed up, how much is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from acceleray import tables as t
from acceleray.report.calibration.history import gather
from acceleray.report.calibration.page import PAGE


def test_thousands_of_instruments_are_shown_in_part_and_the_page_says_so(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows([f"N{i:03d}" for i in range(120)])
    for row in rows[t.CALIBRATION]:
        row["starts"] = 2
    made = drawn_page(rows, writer=PAGE.write)
    for sentence in (
        "Shown are the 40 of 120 instruments whose persistence moved most",
        "The 25 worst of 120 fits with a doubt, of 120.",
        "The 40 largest of 120 movements",
        "The 40 most volatile of 120 calibrated instruments",
        "The 40 instruments of 120 that factors explain least",
        "The 40 of 120 instruments that move most with all others",
    ):
        assert sentence in made.text
    assert len(made.markup) < 1_500_000


def test_only_the_last_eighty_days_of_fitting_are_mapped(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for number in range(100):
        for row in rows[t.CALIBRATION_HISTORY][:3]:
            rows[t.CALIBRATION_HISTORY].append(row | {"fitted_on": date(2022, 2, 1) + timedelta(days=number)})
    text = drawn_page(rows, writer=PAGE.write).text
    assert "330 scheduled fits of 3 instruments on 110 days" in text
    assert "on the last 80 of 110 days" in text


def test_no_more_fits_are_read_than_are_shown_and_the_rest_is_summed_up(
    run_rows: Callable[..., Any],
) -> None:
    rows = run_rows([f"N{number:03d}" for number in range(120)], rejected={"N007": "too short"})
    history = rows[t.CALIBRATION_HISTORY]
    for number in range(100):
        for row in history[:120]:
            history.append(row | {"fitted_on": date(2022, 2, 1) + timedelta(days=number)})
    assert len(history) == 120 * 110
    persistence = {"N050": (0.2, 0.9), "N060": (0.3, 0.95), "N070": (0.4, 0.95)}
    for place, row in enumerate(history[:240]):
        if row["instrument_id"] in persistence:
            row["persistence"] = persistence[row["instrument_id"]][place // 120]
    found = gather(rows.read)
    assert found.instruments[:3] == ("N050", "N060", "N070")
    assert (found.all_instruments, found.all_dates, found.all_fits) == (120, 110, 13_200)
    assert found.without_model == 110
    assert found.persistence.shape == (40, 80)
    assert found.first == date(2022, 2, 21)
    latest = {row["instrument_id"]: row for row in history[-120:]}
    for place, name in enumerate(found.instruments):
        assert found.nu[place, -1] == latest[name]["nu"]
        assert found.persistence[place, -1] == latest[name]["persistence"]
    # 40 x 80 fits, a row for each instrument, one for each day.
    assert rows.given == 3200 + 120 + 110
