"""Findings about the prices are the first section of every page, and one sentence where there are none."""

import re
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report import price_findings
from report.conftest import writer_of
from report.invented import invented
from report.invented_rows import AS_OF

PAGES = ("calibration", "end_to_end", "scoring", "signals", "stress", "training", "tuning")


def row(kind: str, severity: str, instrument: str, text: str) -> dict[str, Any]:
    return {
        "source": "csv:prices.csv", "instrument_id": instrument, "kind": kind, "first_date": AS_OF,
        "last_date": AS_OF, "severity": severity, "count": 1, "value": 0.25, "text": text,
        "advice": "do this", "load_id": "ab" * 32,
    }  # fmt: skip


def test_findings_are_listed_gravest_first_and_many_alike_are_counted() -> None:
    rows = invented(["AAA", "BBB"])
    rows[t.PRICE_FINDINGS].extend(
        [row("cash_like", "info", "CASH", "stands at 1"), row("split", "error", "AAA", "a quarter")]
        + [row("quarantined", "warning", f"Q{k:02d}", "cells") for k in range(9)]
    )
    found = price_findings.gather(rows.read)
    assert found.sentence.startswith("1\u00a0error, 9\u00a0warnings and 1\u00a0note")
    assert [line.kind for line in found.lines] == [
        "unadjusted split", *["quarantined cells"] * 5, "cash or nearly cash",
    ]  # fmt: skip
    assert [line.more for line in found.lines] == [0, 0, 0, 0, 0, 4, 0]
    assert found.grave


def test_an_instrument_that_moves_by_proxy_is_named_where_numbers_rest_on_it() -> None:
    rows = invented(["AAA", "BBB"])
    rows[t.CALIBRATION][0] |= {"status": "proxied", "reason": "jump of -75 % on 2020-08-31"}
    assert price_findings.gather(rows.read).lines == ()
    (line,) = price_findings.gather(rows.read, calibrated=True).lines
    assert (line.severity, line.kind, line.instrument) == ("warning", "no model of its own", "AAA")
    assert line.text.startswith(
        "jump of -75 % on 2020-08-31: it moves as the others do, at its own volatility"
    )


def test_without_findings_there_is_one_plain_sentence() -> None:
    found = price_findings.gather(invented(["AAA"]).read)
    assert (found.lines, found.grave) == ((), False)
    assert found.sentence == "Nothing was found in the prices that needs an explanation."


# All pages have it by one function: one page in every run, the others at night.
@pytest.mark.parametrize(
    "name",
    ["calibration", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("end_to_end", "stress"))],
)
def test_the_section_is_the_first_of_a_page(
    name: str, run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows(["AAA", "BBB"])
    rows[t.PRICE_FINDINGS].append(row("quarantined", "warning", "AAA", "865 of 1,800 cells <b>"))
    made = drawn_page(rows, writer=writer_of(name))
    assert made.row("quarantined cells") == [
        "quarantined cells", "warning", "AAA", "865 of 1,800 cells <b>", "do this",
    ]  # fmt: skip
    # What a desk reads first is its portfolios.
    before = ["overview"] if name != "calibration" else []
    sections = re.findall(r'<section id="([\w-]+)"', made.markup)
    assert sections[: len(before) + 1] == [*before, "findings"]
    assert re.findall(r'<a href="#([\w-]+)"', made.markup)[: len(before) + 1] == [*before, "findings"]
    assert "Numbers on this page are wrong" not in made.text


def test_every_page_is_built_on_the_template_that_has_the_section() -> None:
    folder = files("acceleray.report") / "templates"
    pages = [import_module(f"acceleray.report.{name}.page").PAGE for name in PAGES]
    for page in pages:
        assert '{% extends "base.html.j2" %}' in (folder / page.template).read_text(encoding="utf-8")
    assert "sections/findings.html.j2" in (folder / "base.html.j2").read_text(encoding="utf-8")
