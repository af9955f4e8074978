"""README, site and talk quote the measured tables and the story of the demo, and name commands that start."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from render import ROOT
from talk_figures import AGAINST_SPARK, measured

MEASUREMENTS = (ROOT / "docs/measurements.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "template/engine/docs/benchmarks.md").read_text(encoding="utf-8")
DEMO = (ROOT / "tests/transcripts/demo/output.txt").read_text(encoding="utf-8")
PAGES = ("README.md", "docs/measurements.md", "docs/talk/handout.md", "docs/talk/slides.md")
# A ratio of the benchmark, and how a page quotes it.
QUOTED = (
    ("Batch scoring", "README.md", "Batch scoring: {} times as fast"),
    ("Batch scoring", "docs/talk/handout.md", "| {} times as fast |"),
    ("Join and window", "docs/talk/handout.md", "| {}: leave it to Spark |"),
    ("Calibration", "docs/talk/slides.md", "{} times the fastest Spark-only implementation"),
)


def test_measurements_have_the_rows_of_the_published_benchmark() -> None:
    table = BENCHMARKS.split("## All implementations")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| [A-Z].*\| equal, ", line)]
    assert len(rows) >= 10
    assert not [row for row in rows if row not in MEASUREMENTS]


@pytest.mark.parametrize(("work", "page", "words"), QUOTED)
def test_a_ratio_is_quoted_as_it_was_measured(work: str, page: str, words: str) -> None:
    [ratio] = (ratio for name, ratio in measured(AGAINST_SPARK).items() if name.startswith(work))
    assert words.format(f"{ratio:.2f}") in (ROOT / page).read_text(encoding="utf-8")


def test_the_talk_and_the_readme_quote_the_record() -> None:
    record = json.loads((ROOT / "docs/record.json").read_text(encoding="utf-8"))["sample"]["models"]
    past, calibrated = (
        record[name]["exceptions"] for name in ("historical_simulation", "filtered_historical_calibrated")
    )
    pages = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
    assert f"historical simulation fails with {past} " in pages["README.md"]
    assert f"{calibrated} calibrated, {past} historical simulation" in pages["docs/talk/handout.md"]


def test_the_numbers_of_the_demo_are_those_of_its_story() -> None:
    value_at_risk = re.search(r"^VaR 99 %, 1 day .*\((\S+) % of NAV\)", DEMO, re.MULTILINE)
    shortfall = re.search(r"^ES 97.5 %, 1 day .*\((\S+) % of NAV\)", DEMO, re.MULTILINE)
    exceptions = re.search(r"DESK: (\d+) exceptions in (\d+) days agree with the (\S+) expected", DEMO)
    alone = re.search(r"(\d+ of \d+) portfolios pass alone", DEMO)
    gate = re.search(r"mean rank IC (\S+) over .* interval from (\S+),", DEMO)
    assert value_at_risk
    assert shortfall
    assert exceptions
    assert alone
    assert gate
    assert f"of the whole desk | {value_at_risk[1]} % of NAV" in MEASUREMENTS
    assert f"| one-day ES 97.5 % | {shortfall[1]} % of NAV |" in MEASUREMENTS
    assert f"{int(exceptions[2]):,} out-of-sample days" in MEASUREMENTS
    assert f"| {exceptions[1]}, expected {exceptions[3]} |" in MEASUREMENTS
    assert f"| {alone[1]}; " in MEASUREMENTS
    assert f"| {gate[1]}, one-sided 95 % interval from {gate[2]}:" in MEASUREMENTS


def test_a_script_of_the_benchmarks_is_named_with_what_it_takes_to_start_it() -> None:
    engine = (path.relative_to(ROOT) for path in (ROOT / "template/engine/docs").glob("*.md"))
    pages: list[Path] = [*map(Path, PAGES), *engine]
    modules = (ROOT / "template/engine/benchmarks").glob("*.py")
    for page in [*pages, *(path.relative_to(ROOT) for path in modules)]:
        text = (ROOT / page).read_text(encoding="utf-8")
        # Without the two packages on its path Python finds no module `acceleray`.
        assert not re.search(r"(?<!PYTHONPATH=src:engine \.venv/bin/)python (engine/)?benchmarks/", text)
        named = re.findall(r"engine/benchmarks/(\w+\.py)", text)
        assert all(
            (ROOT / "template/engine/benchmarks" / name).is_file() for name in named if name != "NAME.py"
        ), page
