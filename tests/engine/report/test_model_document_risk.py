"""The document of a risk model: sections, numbers with their columns, verdicts and judgements."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from acceleray import tables as t
from acceleray.report.model_document.context import context
from acceleray.report.model_document.document import document
from acceleray.report.model_document.markdown import markdown
from acceleray.report.model_document.tree import Facts, Grid, Judgement
from acceleray.settings import Settings
from report.conftest import Page, words_of
from report.invented_history import History, history
from report.invented_rows import Rows

pytestmark = pytest.mark.usefixtures("no_drawing")
SECTIONS = [
    "Purpose and use",
    "Owner",
    "Data",
    "Method",
    "Assumptions and where they fail",
    "Calibration and its stability",
    "Outcome analysis",
    "Benchmarking against simpler models",
    "Sensitivity",
    "Limitations",
    "Monitoring with thresholds",
    "Change log",
]
KNOWN = {f"{table.label}.{column.name}" for table in t.ALL for column in table.columns}
NAMED = re.compile(r"\b((?:bronze|silver|gold)\.\w+)\.(\w+(?:, \w+)*)")


def tree(kept: History, settings: Settings, run_id: str = "r-2") -> Any:
    return document(context(kept, "risk", run_id, settings), Path("out").resolve())


def test_every_section_a_validator_looks_for_is_there_in_both(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    page, text = written(runs)
    titles = [words_of(each) for each in re.findall(r"<h2>(.*?)</h2>", page.markup)]
    assert titles == [f"{number}. {title}" for number, title in enumerate(SECTIONS, start=1)]
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == titles


def test_page_and_markdown_say_the_same(runs: History, written: Callable[..., tuple[Page, str]]) -> None:
    page, text = written(runs)
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    cells = [
        words_of(each)
        for each in re.findall(r"<t[hd]\b(?! scope=.col)[^>]*>(.*?)</t[hd]>", page.markup, re.S)
    ]
    said = words_of(rendered)
    missing = [cell for cell in cells if "gold." not in cell and cell not in said]
    assert missing == []
    judgements = re.findall(r'<p class="owner">(.*?)</p>', page.markup, re.S)
    assert len(judgements) >= 12
    assert [each for each in map(words_of, judgements) if each not in said] == []


def test_every_number_names_a_table_and_a_column_that_are_declared(
    runs: History, page_settings: Settings
) -> None:
    made = tree(runs, page_settings)
    sources = [fact.source for part in made.parts() if isinstance(part, Facts) for fact in part.rows]
    sources += [head.source for part in made.parts() if isinstance(part, Grid) for head in part.heads]
    sources += [
        row[-1]
        for part in made.parts()
        if isinstance(part, Grid) and part.heads[-1].what == "From"
        for row in part.rows
    ]
    named = [
        (label, name)
        for each in sources
        for label, names in NAMED.findall(each)
        for name in names.split(", ")
    ]
    assert len(named) > 150
    wrong = {f"{label}.{name}" for label, name in named} - KNOWN
    # "counted" and its like say how a number was made of the column before it.
    assert {each.rpartition(".")[2] for each in wrong} <= {"counted", "summed", "largest", "mean", "median"}
    # A grid with numbers says where they come from, by column or by row.
    for part in made.parts():
        if isinstance(part, Grid) and any(head.number for head in part.heads):
            named = any("." in head.source or head.what == "From" for head in part.heads)
            assert named, part.caption


def test_the_decision_comes_first_and_a_refused_model_says_not_promoted(
    run_rows: Callable[..., Rows], written: Callable[..., tuple[Page, str]]
) -> None:
    rows = run_rows()
    page, text = written(history(rows), run_id="r-1")
    assert text.splitlines()[2] == "**Promoted: agrees with what was expected.**"
    assert "Promoted: agrees with what was expected." in page.text
    for row in rows[t.BACKTEST_VERDICTS]:
        if row["decision"] == "promoted":
            row |= {"decision": "not promoted", "passed": False, "reason": "too many exceptions"}
    page, text = written(history(rows), run_id="r-1")
    assert text.splitlines()[2] == "**Not promoted: too many exceptions.**"
    assert page.markup.index("Not promoted") < page.markup.index("<section")


def test_all_columns_of_the_verdicts_are_shown_those_of_a_later_release_too(
    runs: History, page_settings: Settings
) -> None:
    (section,) = [each for each in tree(runs, page_settings).sections if each.anchor == "outcomes"]
    grid = next(part for part in section.parts if isinstance(part, Grid))
    shown = [row[-1] for row in grid.rows]
    left_out = ("run_id", "as_of")
    assert shown == [
        f"{t.BACKTEST_VERDICTS.label}.{n}" for n in t.BACKTEST_VERDICTS.column_names if n not in left_out
    ]


def test_exceptions_are_counted_by_year_and_by_the_windows_of_the_stress_file(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    for row in runs[t.STRESS_SCENARIOS]:
        if row["scenario_id"] == "pandemic_2020":
            row |= {"title": "A fall of ours", "first_date": date(2021, 3, 1), "last_date": date(2021, 3, 31)}
    page, _ = written(runs)
    mine = [
        row
        for row in runs[t.BACKTEST_FORECASTS]
        if row["run_id"] == "r-2" and row["model"] == "filtered_historical_calibrated"
    ]
    for year in (2021, 2022):
        inside = [row for row in mine if row["date"].year == year]
        hits = sum(row["exception"] for row in inside)
        assert page.row(str(year))[1:3] == [str(len(inside)), str(hits)]
    march = [row for row in mine if date(2021, 3, 1) <= row["date"] <= date(2021, 3, 31)]
    cells = page.row("A fall of ours")
    assert cells[3:5] == [str(len(march)), str(sum(row["exception"] for row in march))]
    # A window before the first forecast is named and not counted as a success.
    assert "no day out of sample" in page.row("Financial crisis 2008")


def test_judgements_are_left_to_the_owner_and_counted(runs: History, page_settings: Settings) -> None:
    made = tree(runs, page_settings)
    asked = [part for part in made.parts() if isinstance(part, Judgement)]
    assert made.judgements == len(asked) >= 12
    (owner,) = [each for each in made.sections if each.anchor == "owner"]
    assert all(isinstance(part, Judgement) for part in owner.parts)
    assert f"{len(asked)} places marked" in markdown(made)


@pytest.mark.parametrize("generator", ["", "tables"])
def test_the_generator_of_the_copulas_scenarios_is_said(
    runs: History, page_settings: Settings, generator: str
) -> None:
    past = [row for row in runs[t.SCENARIO_SETS] if row["method"] == "filtered_historical"]
    without = History(runs.tables | {t.SCENARIO_SETS.label: past})
    assert "Generator of" not in markdown(tree(without, page_settings))
    chosen = {"settings_json": json.dumps({"simulation": {"generator": generator} if generator else {}})}
    made = [row | chosen if row["run_id"] == "r-2" else row for row in runs[t.RUNS]]
    text = markdown(tree(History(runs.tables | {t.RUNS.label: made}), page_settings))
    said = text[text.index("Generator of") :].split("\n\n")[0]
    assert f"t copula: {generator or 'standard'} (gold.runs.settings_json: simulation.generator)" in said
    assert ("within 1e-9" in said) == (generator == "tables")


def test_formulas_link_to_the_line_of_a_module_below_the_project(tmp_path: Path) -> None:
    from acceleray.report.model_document import method
    from acceleray.runtime.code_identity import ENGINE

    engine = ENGINE.parent
    inside = method.parts("risk", engine / "var" / "reports", engine)
    grids = [part for part in inside if isinstance(part, Grid)]
    assert [grid.caption for grid in grids] == list(method.SECTIONS["risk"])
    for grid in grids:
        for address in grid.addresses:
            path, _, name = address.partition("#")
            assert f"def {name}(" in (
                source := (engine / "var" / "reports" / path).resolve().read_text()
            ) or (f"class {name}" in source)
    # A link out of the project would name folders of this machine.
    outside = [part for part in method.parts("risk", tmp_path, engine) if isinstance(part, Grid)]
    assert {address for grid in outside for address in grid.addresses} == {""}


def test_it_never_claims_to_comply(runs: History, written: Callable[..., tuple[Page, str]]) -> None:
    page, text = written(runs)
    for words in (page.text, text):
        assert "compliant" not in words.lower()
        assert "SR 26-2" in words
        assert "SS1/23" in words


def test_monitoring_holds_the_record_against_the_terms_of_the_gate(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    found = {"z2": -0.3, "z2_critical": -0.12, "basel_zone_500": "yellow", "smallest_adjusted_p": 0.04}
    for row in runs[t.BACKTEST_VERDICTS]:
        row |= found | {"rate_low": 1.3, "rate_high": 1.9}
    page, _ = written(runs)
    zone = page.row("Traffic light of the last 500 days")
    assert (zone[1], zone[-1]) == ("yellow", "to be explained")
    rate = page.row("Rate of exceptions, 95 % interval, in times the expected")
    assert (rate[1], rate[3], rate[-1]) == ("1.3 to 1.9", "reaches 0.8 to 1.25", "outside")
    z2 = page.row("Z2 of expected shortfall", "\u22120.3")
    assert (z2[3], z2[-1]) == ("at least \u22120.12", "outside")
    least = page.row("Smallest p-value after Holm")
    assert (least[1], least[3], least[-1]) == ("0.040", "above 0.05", "outside")
    for row in runs[t.BACKTEST_VERDICTS]:
        row |= {"z2": -0.1, "rate_low": 0.9, "rate_high": 1.3, "smallest_adjusted_p": 0.4}
    page, _ = written(runs)
    assert page.row("Z2 of expected shortfall", "\u22120.1")[-1] == "within"
    assert page.row("Rate of exceptions, 95 % interval, in times the expected")[-1] == "within"
