from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from acceleray import tables as t
from acceleray.settings import Settings
from report.conftest import writer_of

HOSTILE = '<script>alert("x")</script>&\'"]]>\x0b'
VOID = {"meta", "source", "img", "br"}
# How many pictures a page has, for each page about the invented run; a project has those of its workloads.
PICTURES = {
    name: count
    for name, count in {"end_to_end": 7, "calibration": 5, "stress": 6}.items()
    if find_spec(f"acceleray.report.{name}")
}
# All are made of the same parts: one page a test, the others at night.
PAGES = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.nightly] if place else []) for place, name in enumerate(PICTURES)],
)


@PAGES
def test_a_hostile_instrument_name_is_shown_and_not_obeyed(
    run_rows: Callable[..., Any],
    drawn_page: Callable[..., Any],
    move_to_quarantine: Callable[..., None],
    name: str,
) -> None:
    rows = run_rows(["AAA", HOSTILE, "$x_1$", "a-->b"], rejected={"AAA": HOSTILE})
    everywhere(rows)
    day = rows[t.PRICES][0]["date"]
    move_to_quarantine(rows, HOSTILE, day, HOSTILE, HOSTILE)
    rows[t.RUNS][0]["model_uri"] = HOSTILE
    rows[t.PORTFOLIOS][0]["name"] = HOSTILE
    made = drawn_page(rows, writer=writer_of(name))
    assert "<script" not in without_our_script(made.markup).lower()
    assert "&lt;script&gt;alert" in made.markup
    shown = set()
    for picture in made.drawings:
        for element in ElementTree.fromstring(picture).iter():
            assert not element.tag.endswith("script")
            shown.add(element.text)
    # Dollar signs and dashes are part of a name, not the start of a formula or the end of a comment.
    # The stress page draws scenarios by their titles, the others instruments by their names.
    assert {"$x_1$ scenario", "a-->b scenario"} <= shown or {"$x_1$", "a-->b"} <= shown


def without_our_script(markup: str) -> str:
    """Return a page without the one script that its policy allows, by its digest."""
    allowed = re.findall(r"script-src 'sha256-([^']+)'", markup)
    for script in re.findall(r"<script>(.*?)</script>", markup, flags=re.DOTALL):
        if base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in allowed:
            markup = markup.replace(f"<script>{script}</script>", "")
    return markup


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
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any], name: str
) -> None:
    made = drawn_page(run_rows(), writer=writer_of(name))
    attributes = re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["']?([^"'\s>]+)""", made.markup)
    assert attributes
    kinds = ("#", "data:image/svg+xml;base64,", "data:text/csv;charset=utf-8;base64,", "report/")
    assert all(value.startswith(kinds) for value in attributes)
    assert "default-src 'none'" in made.markup
    for content in (made.markup, *made.drawings):
        assert "@import" not in content
        assert "<script" not in without_our_script(content)
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", content))
        assert all(target.startswith(kinds) for target in re.findall(r'href="([^"]*)"', content))


@PAGES
def test_the_same_rows_in_any_order_give_the_same_bytes(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, name: str
) -> None:
    writer = writer_of(name)
    rows = run_rows([f"N{i:02d}" for i in range(18)])
    first = writer(rows.read, page_settings, tmp_path / "first" / "page.html").read_bytes()
    shuffle = random.Random(5)
    for label in rows.tables:
        shuffle.shuffle(rows.tables[label])
    second = writer(rows.read, page_settings, tmp_path / "second" / "page.html").read_bytes()
    assert first == second
    rows[t.RISK_MEASURES][0]["value"] *= 2
    rows[t.PORTFOLIO_SCORES][0]["var_pct_nav"] *= 2
    rows[t.CALIBRATION][0]["persistence"] *= 0.9
    rows[t.STRESS_LOSSES][0]["loss_pct_nav"] *= 2
    assert writer(rows.read, page_settings, tmp_path / "third" / "page.html").read_bytes() != first


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


@PAGES
def test_the_page_is_well_formed_and_readable_without_eyes(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any], name: str
) -> None:
    outline = Outline()
    outline.feed(drawn_page(run_rows(rejected={"BBB": "too short"}), writer=writer_of(name)).markup)
    assert outline.open == []
    assert len(outline.pictures) == PICTURES[name]
    assert all(len(str(picture.get("alt"))) > 20 for picture in outline.pictures)
    assert all(header.get("scope") in {"row", "col"} for header in outline.headers)
    assert len(set(outline.ids)) == len(outline.ids)
    inside = {target.lstrip("#") for target in outline.targets if target.startswith("#")}
    assert inside == set(outline.ids)
