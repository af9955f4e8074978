"""Sections that a project adds to a report: linked, before the lineage, and never markup."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.extend import Rows, Section
from acceleray.report.calibration.page import PAGE
from acceleray.runtime import extensions
from acceleray.settings import Settings
from report.conftest import Page

WORKLOADS = ("portfolio_model_calibration", "risk_stress_testing")
HOSTILE = "<script>alert(1)</script> & {{ css }}"


def tails(read: Callable[..., Any]) -> list[str | Rows]:
    fits = read(t.CALIBRATION).to_pylist()
    rows = [(fit["instrument_id"], fit["nu"], fit["starts"], None) for fit in fits]
    return [f"Degrees of freedom. {HOSTILE}", Rows("All fits.", ("Instrument", "Tails", "Starts", "?"), rows)]


def section(write: Callable[..., Any] = tails, **more: Any) -> Section:
    said = {"name": "tails", "title": f"Tails {HOSTILE}", "workloads": WORKLOADS[:1], "write": write}
    return Section(**(said | more))


def page(rows: Any, tmp_path: Path, *own: Section) -> Page:
    settings = Settings.model_validate({"project": {"name": "p", "customer": "c"}})
    path = PAGE.write(rows.read, settings, tmp_path / "page.html", own)
    return Page(path.read_text(encoding="utf-8"))


def test_it_is_linked_and_stands_before_the_lineage(run_rows: Callable[..., Any], tmp_path: Path) -> None:
    made = page(run_rows(), tmp_path, section())
    place = [made.markup.index(f'id="{anchor}"') for anchor in ("assumptions", "own-tails", "lineage")]
    assert place == sorted(place)
    links = made.markup[: made.markup.index("</nav>")]
    assert links.index('href="#own-tails"') < links.index('href="#lineage"')
    table = made.markup[place[1] : place[2]]
    assert table.count("<tr>") == 1 + 3
    assert table.count('<td class="n">') == 3 * 2, "the numbers"
    assert "n/a" in table


def test_nothing_that_it_says_is_markup(run_rows: Callable[..., Any], tmp_path: Path) -> None:
    made = page(run_rows(), tmp_path, section())
    assert "<script" not in made.markup
    assert made.text.count(HOSTILE) == 3, "as the link, as the heading and as the paragraph"


def test_without_own_sections_the_page_has_the_bytes_it_had(
    run_rows: Callable[..., Any], tmp_path: Path
) -> None:
    without, with_own = page(run_rows(), tmp_path), page(run_rows(), tmp_path, section())
    assert "own-" not in without.markup
    own = with_own.markup.index('<section id="own-tails">'), with_own.markup.index('<section id="lineage">')
    cut = with_own.markup[: own[0]] + with_own.markup[own[1] :]
    link = '<a href="#own-tails">'
    at = cut.index(link)
    assert cut[:at] + cut[cut.index("\n", at) + 1 :] == without.markup


def test_a_long_table_is_cut_and_numbers_are_rounded(run_rows: Callable[..., Any], tmp_path: Path) -> None:
    rows = Rows("Many.", ("a", "b"), [(number, math.pi) for number in range(1234)])
    made = page(run_rows(), tmp_path, section(lambda read: rows))
    assert "Many. The first 100 rows; 1,134 more are left out." in made.text
    assert made.row("99") == ["99", "3.1416"]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda read: read.nothing, "AttributeError: "),
        (lambda read: [1.5], "TypeError: float is neither text nor acceleray.extend.Rows"),
        (lambda read: Rows("c", ("a", "b"), [(1,)]), "ValueError: a row has 1 cell where the header has 2"),
    ],
)
def test_one_that_cannot_be_written_is_named(
    write: Callable[..., Any], message: str, run_rows: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(PortfolioError) as refused:
        page(run_rows(), tmp_path, section(write))
    assert str(refused.value).startswith(f"Section 'tails' of the report cannot be written: {message}")
    assert str(refused.value).endswith("; the run's tables are committed.")


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (
            section(workloads=["rebalancing"]),
            "'tails' of .* is for workload 'rebalancing'; this project has port",
        ),
        (section(workloads="risk_stress_testing"), "'tails' of .* does not list workloads; list their names"),
        (section(workloads=[]), "'tails' of .* does not list workloads"),
        (section(name="Tails!"), "Section 'Tails!' of .* cannot have that name"),
        (tails, r"Number 1 of the list in src/portfolio/sections\.py is a function; list objects of"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_by_name(listed: Any, message: str) -> None:
    with pytest.raises(PortfolioError, match=message):
        extensions.sections([listed], "src/portfolio/sections.py", WORKLOADS)
