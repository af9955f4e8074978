from __future__ import annotations

import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from portfolio import tables as t
from portfolio.errors import PortfolioError
from portfolio.report import write, write_calibration, write_stress
from portfolio.settings import Settings

HOSTILE = '<script>alert("x")</script>&\'"]]>\x0b'
VOID = {"meta", "source", "img", "br"}
PAGES = pytest.mark.parametrize("writer", [write, write_calibration, write_stress])


@PAGES
def test_a_hostile_instrument_name_is_shown_and_not_obeyed(
    run_rows: Callable[..., Any],
    drawn_page: Callable[..., Any],
    move_to_quarantine: Callable[..., None],
    writer: Callable[..., Path],
) -> None:
    rows = run_rows(["AAA", HOSTILE, "$x_1$", "a-->b"], rejected={"AAA": HOSTILE})
    everywhere(rows)
    day = rows[t.PRICES][0]["date"]
    move_to_quarantine(rows, HOSTILE, day, HOSTILE, HOSTILE)
    rows[t.RUNS][0]["model_uri"] = HOSTILE
    rows[t.PORTFOLIOS][0]["name"] = HOSTILE
    made = drawn_page(rows, writer=writer)
    assert "<script" not in made.markup.lower()
    assert "&lt;script&gt;alert" in made.markup
    shown = set()
    for picture in made.drawings:
        for element in ElementTree.fromstring(picture).iter():
            assert not element.tag.endswith("script")
            shown.add(element.text)
    # Dollar signs and dashes are part of a name, not the start of a formula or the end of a comment.
    # The stress page draws scenarios by their titles, the others instruments by their names.
    assert {"$x_1$ scenario", "a-->b scenario"} <= shown or {"$x_1$", "a-->b"} <= shown


def everywhere(rows: Any) -> None:
    """Write hostile text into every column of free text that a page could show."""
    free = {"reason", "title", "origin", "published", "shock", "mapping"}
    for table in (t.STRESS_SCENARIOS, t.STRESS_ASSUMPTIONS, t.CALIBRATION_GATE):
        for row in rows[table]:
            row |= {name: HOSTILE for name in free & set(row) if row[name] is not None}
    rows[t.DEPENDENCE][0]["method"] = HOSTILE
    for row, title in zip(rows[t.STRESS_SCENARIOS], ("$x_1$ scenario", "a-->b scenario"), strict=False):
        row["title"] = title


@PAGES
def test_the_page_loads_nothing_from_anywhere(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any], writer: Callable[..., Path]
) -> None:
    made = drawn_page(run_rows(), writer=writer)
    attributes = re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["']?([^"'\s>]+)""", made.markup)
    assert attributes
    assert all(value.startswith(("#", "data:image/svg+xml;base64,")) for value in attributes)
    assert "default-src 'none'" in made.markup
    for content in (made.markup, *made.drawings):
        assert "@import" not in content
        assert "<script" not in content
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", content))
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', content))


@PAGES
def test_the_same_rows_in_any_order_give_the_same_bytes(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, writer: Callable[..., Path]
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(18)])
    first = writer(rows.read, page_settings, tmp_path / "first.html").read_bytes()
    shuffle = random.Random(5)
    for label in rows.tables:
        shuffle.shuffle(rows.tables[label])
    second = writer(rows.read, page_settings, tmp_path / "second.html").read_bytes()
    assert first == second
    rows[t.RISK_MEASURES][0]["value"] *= 2
    rows[t.PORTFOLIO_SCORES][0]["var_pct_nav"] *= 2
    rows[t.CALIBRATION][0]["persistence"] *= 0.9
    rows[t.STRESS_LOSSES][0]["loss_pct_nav"] *= 2
    assert writer(rows.read, page_settings, tmp_path / "third.html").read_bytes() != first


def test_without_a_reference_portfolio_there_is_one_plain_line_and_the_old_file_stays(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path
) -> None:
    rows = run_rows()
    rows[t.PORTFOLIOS].clear()
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")
    with pytest.raises(PortfolioError, match="no reference portfolio"):
        write(rows.read, page_settings, path)
    assert path.read_text(encoding="utf-8") == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_write_that_breaks_half_way_leaves_the_old_file_and_no_other(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write(run_rows().read, page_settings, path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "older"


class Outline(HTMLParser):
    """Checks nesting and collects what a screen reader needs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.headers: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.pictures.append(found)
        if tag == "th":
            self.headers.append(found)
        if identity := found.get("id"):
            self.ids.append(identity)
        if tag == "a":
            self.targets.append(str(found.get("href")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.mark.parametrize(("writer", "pictures"), [(write, 6), (write_calibration, 5), (write_stress, 5)])
def test_the_page_is_well_formed_and_readable_without_eyes(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any], writer: Callable[..., Path], pictures: int
) -> None:
    outline = Outline()
    outline.feed(drawn_page(run_rows(rejected={"BBB": "too short"}), writer=writer).markup)
    assert outline.open == []
    assert len(outline.pictures) == pictures
    assert all(len(str(picture.get("alt"))) > 20 for picture in outline.pictures)
    assert all(header.get("scope") in {"row", "col"} for header in outline.headers)
    assert len(set(outline.ids)) == len(outline.ids)
    assert {target.lstrip("#") for target in outline.targets} == set(outline.ids)
