"""The site's pages: every link and snippet is checked, and what is looked for is found in two steps."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import site_api
import site_links
import site_pages
import site_reference
import site_snippets
from render import ROOT
from site_links import Links

README = ROOT / "README.md"
WORDS = ("build/demo", "2 GB", "minutes", "MB of disk")


@pytest.fixture
def links(tmp_path: Path) -> Links:
    return Links({"docs/answers.md": "reference/questions", "README.md": "readme"}, tmp_path)


def test_a_link_goes_to_where_its_page_has_gone(links: Links) -> None:
    said = links.rewritten(
        "docs/a.md", "how-to/a", "See [answers](answers.md#tables) and [it](../README.md)."
    )
    assert said == "See [answers](../reference/questions.md#tables) and [it](../readme.md)."
    assert not links.wrong


def test_a_link_that_leads_nowhere_and_an_image_without_text_are_named(links: Links) -> None:
    links.rewritten(
        "docs/a.md", "a", "[x](gone.md) ![](images/flow.svg) ![y](images/gone.png)\n```\n[z](no.md)\n```"
    )
    assert links.wrong == [
        "docs/a.md: image images/flow.svg has no text for readers who cannot see it",
        "docs/a.md: there is no image images/gone.png",
        "docs/a.md: the link to gone.md leads nowhere",
    ]


def test_a_file_outside_the_site_is_linked_where_the_repository_is_published(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert links.rewritten("docs/a.md", "a", "[the page](../copier.yml)") == "the page (`copier.yml`)"
    monkeypatch.setattr(site_links, "REPOSITORY", "https://example.com/x")
    said = links.rewritten("docs/a.md", "a", "[the page](../copier.yml)")
    assert said == "[the page](https://example.com/x/blob/main/copier.yml)"


@pytest.mark.parametrize(
    ("snippet", "problem"),
    [
        ("```\nmake coffee\n```\n", "there is no `make coffee`"),
        ("```\nportfolio brew\n```\n", "`portfolio brew`: there is no command brew"),
        ('```\nmake portfolio ARGS="show gold.x --limits 3"\n```\n', "No such option: --limits"),
        ("```console\n$ acceleray update --too 1\n```\n", "its arguments are not understood"),
        ("```python\nimport x\n```\n", "no test runs its Python"),
    ],
)
def test_a_snippet_that_nothing_runs_or_knows_is_named(snippet: str, problem: str) -> None:
    (said,) = site_snippets.unchecked("docs/new.md", snippet)
    assert problem in said


def test_a_snippet_of_real_commands_is_right() -> None:
    lines = (
        'make run ARGS="--set seed=1"   # words',
        "portfolio what-if trades.csv --hedges XOM,WMT",
        "make demo",
    )
    text = "```\n" + "\n".join(lines) + "\n```\n"
    assert site_snippets.unchecked("docs/new.md", text) == []


def test_every_setting_has_its_row_and_every_command_its_help() -> None:
    page = site_reference.settings()
    rows = re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE)
    assert {"seed", "hand_off.way", "market_data.on_findings.error", "simulation.scenarios"} <= set(rows)
    assert len(rows) == len(set(rows)) > 100
    assert {"run", "reports", "what-if", "doctor"} <= set(site_reference.portfolio_commands())


def test_a_docstring_keeps_its_parts_and_its_stars() -> None:
    said = site_api._prose(
        "Return a * b.\n\nArgs:\n    left: the first,\n        or none.\n\n    shown as it is\n"
    )
    assert said.splitlines()[0] == "Return a \\* b."
    assert "- `left`: the first," in said
    assert site_api._prose("the *tail mass* is S * c * d") == "the *tail mass* is S \\* c \\* d"
    page = site_api.pages(set())["acceleray.quant.risk"]
    assert "{py:function} expected_shortfall(losses: NDArray[np.float64], confidence: float)" in page


def test_every_page_that_is_listed_exists_once() -> None:
    import tomllib

    places = list(site_pages.listed(tomllib.loads(site_pages.PAGES.read_text(encoding="utf-8"))))
    assert not [kept for kept, _ in places if not (ROOT / kept).exists()]
    assert len({page for _, page in places}) == len(places)
    # A new page of the engine or of this repository does not stay outside by oversight.
    written = [*(ROOT / "template/engine/docs").glob("*.md"), *(ROOT / "docs").glob("*.md")]
    listed = {kept for kept, _ in places}
    assert not [path.name for path in written if path.relative_to(ROOT).as_posix() not in listed]


# The last page of each path in docs/finding.md, and words that stand there.
FOUND = {
    "What is the formula of expected shortfall?": ("methodology.md", "ES of simulated scenarios"),
    "What is the unit of a VaR's standard error?": ("methodology.md", "Unit of the losses"),
    "How many CPUs does a Ray node take?": ("engines.md", "ray.cpus_per_node"),
    "What happens to a price that repeats for 30 days?": ("own_prices.md", "market_data.stale_price_d"),
    "How do I add a stress factor?": ("own_prices.md", "To add a factor to\nstress scenarios"),
    "How do I use my own holdings?": ("own_book.md", "book.source=csv"),
    "Where is the Spark-only code of the simulation benchmark?": ("simulation.py", "class SparkAnew"),
    "Who may deploy to production?": ("runbook.md", "Give `prod` required reviewers"),
}


def test_each_of_eight_facts_is_found_in_two_steps_from_the_readme() -> None:
    front = README.read_text(encoding="utf-8")
    finding = (ROOT / "docs/finding.md").read_text(encoding="utf-8")
    assert "(docs/finding.md)" in front
    rows = [line.split(" | ") for line in finding.splitlines() if line.startswith("| ") and "?" in line]
    assert {row[0].removeprefix("| ") for row in rows} == set(FOUND)
    for question, first, second, *_ in rows:
        name, words = FOUND[question.removeprefix("| ")]
        (target,) = re.findall(r"\]\(([^)]+)\)", second)
        assert target.endswith(name)
        path = (ROOT / "docs" / target).resolve()
        assert words in path.read_text(encoding="utf-8"), question
        assert "this page" in first or f"({path.relative_to(ROOT).as_posix()})" in front, question


def test_readme_has_at_most_700_words_and_a_projects_two_screens() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 700
    assert len((ROOT / "reference/README.md").read_text(encoding="utf-8").splitlines()) <= 70


def test_a_search_and_a_review_pass_over_what_is_generated() -> None:
    assert "/reference/" in (ROOT / ".ignore").read_text(encoding="utf-8").splitlines()
    assert "reference/** linguist-generated" in (ROOT / ".gitattributes").read_text(encoding="utf-8")


def test_the_container_for_a_first_look_fits_the_project() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert re.search(r"python:3\.1[1-3]\b", container["image"])
    assert container["features"]["ghcr.io/devcontainers/features/java:1"]["version"] in ("17", "21")
    assert container["postCreateCommand"] == "make prepare"
    assert container["hostRequirements"]["memory"] == "8gb"
    assert "(../../codespaces)" in README.read_text(encoding="utf-8")


def test_a_demo_says_at_once_what_it_will_do_and_then_what_to_try() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    said = subprocess.run(
        ["make", "--no-print-directory", "demo-says"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {"build/demo", "2 GB", "minutes", "MB of disk"} <= {word for word in WORDS if word in said}
    # It comes before the environment is prepared, and the next steps leave the last line of the output alone.
    assert "\ndemo: demo-says prepare" in makefile
    assert 'your own project"; } >&2' in makefile
    alone = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make demo" in alone
