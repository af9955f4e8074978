"""The page of the signals: what survives stands first, and nobody takes it for proof."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.signals.page import PAGE
from acceleray.settings import Settings
from report.conftest import words_of
from report.invented_signals import signals

HOSTILE = '<script>alert("x")</script>&\'"]]>\x0b'


@pytest.fixture
def made(page: Callable[..., Any]) -> Callable[..., Any]:
    return partial(page, writer=PAGE.write)


def test_the_first_screen_says_how_many_survive_and_that_this_proves_nothing(
    made: Callable[..., Any],
) -> None:
    top = words_of(made(signals(("use", "watch", "reject"))).markup.split('<section id="order">')[0])
    assert "1 of 3 survive" in top
    assert (
        "1 of 3 signals at 2 horizons, 6 tests in all, survives every bar: signal_0 (5 and 21 days)." in top
    )
    assert "it proves no alpha" in top
    assert "To watch: signal_1 (5 and 21 days)." in top
    assert "Without counting the tests, 4 would have been called significant at 5 %." in top
    assert "3 instruments prove little about alpha, whatever this table says" in top


def test_that_nothing_survives_is_a_result_and_reads_like_one(made: Callable[..., Any]) -> None:
    shown = made(signals(("reject", "reject")))
    assert "None survives" in shown.text
    assert "none survives every bar" in shown.text
    assert "That is a result, and the usual one." in shown.text
    assert "No more than that look significant here: as a whole these signals look like noise." in shown.text
    assert "To watch" not in shown.text


def test_a_suspect_comes_before_everything_else(made: Callable[..., Any]) -> None:
    shown = made(signals(("use", "suspect")))
    summary = shown.text.split("The order")[0]
    assert summary.index("Find a leak before anything else: signal_1") < summary.index("survives every bar")
    assert "2 suspect" in shown.text
    assert "probable leakage until proven otherwise" in shown.text


def test_simulated_prices_are_called_simulated(made: Callable[..., Any]) -> None:
    shown = made(signals(source="simulated:universe"))
    assert "These prices are simulated, and whatever survives was planted in them." in shown.text
    assert "not used on simulated prices" in shown.text


def test_the_sample_is_said_to_hold_survivors(made: Callable[..., Any], page_settings: Settings) -> None:
    sample = page_settings.model_copy(
        update={"market_data": page_settings.market_data.model_copy(update={"source": "sample"})}
    )
    shown = made(signals(source="sample"), sample)
    assert "3 companies that survived prove nothing about alpha, whatever this table says" in shown.text


def test_every_line_shows_its_numbers_and_its_reason_in_the_order_of_the_table(
    made: Callable[..., Any],
) -> None:
    shown = made(signals())
    cells = shown.row("signal_0", "5 days")
    assert cells[2:] == [
        *("use", "", "0.031", "4.2", "0.002", "0.004", "0.61", "9", "0.21 %", "31 %", "0.44", "0.027 (3.1)")
    ]
    reasons = re.findall(r"The reason for (\w+) at (\d+) days", shown.text)
    assert reasons == [(d, h) for d in ("use", "watch", "suspect", "reject") for h in ("5", "21")]
    assert "(hold high values; 1,234 dates)" in shown.text
    assert "(hold low values; 1,234 dates)" in shown.text


def test_bars_lie_in_their_cell_and_zero_at_the_same_place_in_all_of_them(made: Callable[..., Any]) -> None:
    shown = made(signals())
    places = [float(value) for value in re.findall(r"(?:left|width):([\d.]+)%", shown.markup)]
    assert len(places) == 8 * 4
    assert all(0 <= value <= 100 for value in places)
    zeros = re.findall(r"left:([\d.]+)%;width:1px", shown.markup)
    # Zero is where the bar from -0.011 to 0.05 says: 11 parts of 61 from the left.
    assert set(zeros) == {f"{100 * 11 / 61:.1f}"}


def test_what_luck_would_show_is_counted_bar_by_bar(made: Callable[..., Any]) -> None:
    shown = made(signals(("use", "watch", "reject")))
    assert shown.row("p ≤ 5 %, each test alone")[1] == "4"
    assert shown.row("|t| ≥ 3.0")[1] == "4"
    assert shown.row("Bonferroni p ≤ 5 %")[1] == "4"
    assert shown.row("Every bar")[1] == "2"
    assert "Of 6 tests of signals that are nothing but noise, 0.3 would look significant at 5 %" in shown.text


def test_numbers_that_are_not_there_are_shown_as_such(made: Callable[..., Any]) -> None:
    rows = signals(("reject",))
    kept = {
        "signal_id",
        "horizon_d",
        "position",
        "decision",
        "reason",
        "direction",
        "dates",
        "run_id",
        "as_of",
    }
    for row in rows[t.SIGNAL_RANKS]:
        row |= dict.fromkeys(set(row) - kept)
    for table in (t.SIGNAL_DECAY, t.SIGNAL_YEARS):
        rows[table].clear()
    shown = made(rows)
    assert shown.row("signal_0", "5 days")[4:] == ["n/a"] * 9 + ["n/a (n/a)"]
    for words in ("too few days for intervals", "too few days to see a decay", "no year with a rank IC"):
        assert words in shown.text


def test_a_number_resolves_by_the_command_that_is_shown(made: Callable[..., Any]) -> None:
    command = "portfolio lineage gold.signal_ranks run_id=r-test-0001 signal_id=signal_0 horizon_d=5"
    assert command in made(signals()).text


def test_a_run_without_signals_has_no_page(made: Callable[..., Any]) -> None:
    rows = signals()
    rows[t.SIGNAL_RANKS].clear()
    with pytest.raises(PortfolioError, match="ranked no signals"):
        made(rows)


def test_hostile_names_are_shown_and_not_obeyed_in_words_and_pictures(
    drawn_page: Callable[..., Any],
) -> None:
    rows = signals(names=(HOSTILE, "$x_1$", "a-->b", "ordinary"))
    for row in rows[t.SIGNAL_RANKS]:
        row["reason"] = HOSTILE
    shown = drawn_page(rows, writer=PAGE.write)
    assert "<script" not in shown.markup.lower()
    assert "&lt;script&gt;alert" in shown.markup
    texts = {element.text for one in shown.drawings for element in ElementTree.fromstring(one).iter()}
    assert {"$x_1$", "a-->b", "$x_1$, 5d"} <= texts
    assert len(shown.drawings) == 8


# In every run, test_report_file.py asks the same of a page with more pictures.
@pytest.mark.nightly
def test_the_same_rows_in_any_order_give_the_same_bytes(page_settings: Settings, tmp_path: Path) -> None:
    rows = signals()
    # Files of its tables are named after the page.
    places = [tmp_path / each / "page.html" for each in ("first", "second", "third")]
    for place in places:
        place.parent.mkdir()
    first = PAGE.write(rows.read, page_settings, places[0]).read_bytes()
    shuffle = random.Random(5)
    for label in rows.tables:
        shuffle.shuffle(rows.tables[label])
    assert PAGE.write(rows.read, page_settings, places[1]).read_bytes() == first
    rows[t.SIGNAL_RANKS][0]["rank_ic"] *= 2
    assert PAGE.write(rows.read, page_settings, places[2]).read_bytes() != first
