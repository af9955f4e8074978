"""Every choice of workloads gives a project that is complete, and holds nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path, PurePosixPath

import pathspec
import pytest
import yaml
from jinja2 import Environment
from jinja2.meta import find_undeclared_variables

import bundle
from conftest import Answers, answers_of, contents, drawn
from needs import Whole, unknown_commands
from render import ROOT
from test_ownership import INCLUDES, WORKLOADS
from test_pairs import parses

NAMES = tuple(workload["name"] for workload in WORKLOADS)
TRAINERS = {"distributed_training", "end_to_end_pipeline"}
SUBSETS = [chosen for count in range(1, len(NAMES) + 1) for chosen in combinations(NAMES, count)]
# A name there that leads nowhere in some projects, and why that does no harm.
HARMLESS = {
    ("conf/base.yml", "conf/stress.yml"): "every setting is listed, also those that nothing reads here",
    ("conf/base.yml", "conf/limits.yml"): "every setting is listed, also those that nothing reads here",
    (
        "conf/limits.yml",
        "conf/stress.yml",
    ): "a limit on a stress loss is not evaluated without one",
    ("docs/data_dictionary.md", "conf/limits.yml"): "every declared table is described, whoever fills it",
    ("docs/data_dictionary.md", "conf/stress.yml"): "every declared table is described, whoever fills it",
    **{
        (
            "tests/workloads/test_batch_inference.py",
            f"src/portfolio/workloads/{name}.py",
        ): "one of them is there"
        for name in sorted(TRAINERS)
    },
}
# Choices that every run renders and checks, drawn by this seed; `make test-all` takes all of them.
SEED, DRAWN = 20261129, 12


@dataclass(frozen=True)
class Reference:
    """The whole project, as it is checked in."""

    whole: Whole
    rendered: frozenset[str]

    def filtered(self, chosen: tuple[str, ...]) -> set[str]:
        """Return the files that the ownership list leaves to a choice of workloads."""
        patterns = INCLUDES.get_template("workloads.jinja").module.unowned(list(chosen))  # type: ignore[attr-defined]
        unowned = pathspec.GitIgnoreSpec.from_lines(patterns.splitlines())
        return {path for path in self.whole.files if not unowned.match_file(path)}


@cache
def reference() -> Reference:
    template = ROOT / "template"
    from_jinja = (path.relative_to(template).as_posix() for path in template.rglob("*.jinja"))
    known = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "reference"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = {
        str(PurePosixPath(line).relative_to("reference")): (ROOT / line).read_bytes()
        for line in known.splitlines()
        if (ROOT / line).is_file()
    }
    return Reference(Whole(files), frozenset(path.removesuffix(".jinja") for path in from_jinja))


def with_what_it_needs(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return a choice of workloads with the one that trains, if it scores and nothing in it trains."""
    alone = "batch_inference" in chosen and not TRAINERS & set(chosen)
    return tuple(name for name in NAMES if name in chosen or (alone and name == "distributed_training"))


def number_of(chosen: tuple[str, ...]) -> str:
    return "+".join(str(NAMES.index(name) + 1) for name in chosen)


@pytest.mark.parametrize("chosen", drawn(SUBSETS, SEED, DRAWN), ids=number_of)
def test_a_choice_of_workloads_is_the_reference_without_the_rest(
    chosen: tuple[str, ...], rendered: Callable[[Answers], Path]
) -> None:
    whole_choice = with_what_it_needs(chosen)
    project = rendered({**answers_of("reference"), "workloads": list(chosen)})
    files, whole = contents(project), reference().whole
    assert set(files) == reference().filtered(whole_choice)
    verbatim = files.keys() - reference().rendered
    assert not sorted(path for path in verbatim if files[path] != whole.files[path])
    for path in reference().rendered & files.keys():
        parses(path, files[path].decode("utf-8"))

    dangling = [need for need in whole.dangling(files) if (need.by, need.what) not in HARMLESS]
    assert not dangling, "named or imported, but not there; see includes/workloads.jinja"
    assert not unknown_commands(files)
    assert _jobs(files) == set(whole_choice)
    assert bundle.problems(project) == []
    jobs = bundle.data(project)["resources"]["jobs"]
    first = "end_to_end_pipeline" if "end_to_end_pipeline" in chosen else whole_choice[0]
    assert [name for name, job in jobs.items() if "schedule" in job] == [first]
    assert yaml.safe_load(files[".copier-answers.yml"])["workloads"] == list(chosen)
    said = "brings distributed_training along" in files["README.md"].decode("utf-8")
    assert said == (whole_choice != chosen)
    lint = [sys.executable, "-m", "ruff", "check", "--no-cache", "--quiet", "."]
    linted = subprocess.run(lint, cwd=project, capture_output=True, text=True, check=False)
    assert not linted.stdout + linted.stderr


def test_there_are_127_choices_and_in_16_of_them_a_workload_comes_along() -> None:
    assert len(SUBSETS) == 127
    assert sum(with_what_it_needs(chosen) != chosen for chosen in SUBSETS) == 16


def test_what_comes_along_is_generated_as_if_it_had_been_chosen(rendered: Callable[[Answers], Path]) -> None:
    pulled = contents(rendered({"workloads": ["batch_inference", "risk_stress_testing"]}))
    whole = ["distributed_training", "batch_inference", "risk_stress_testing"]
    chosen = contents(rendered({"workloads": whole}))
    assert pulled.keys() == chosen.keys()
    assert {path for path in pulled if pulled[path] != chosen[path]} == {".copier-answers.yml", "README.md"}


def test_nothing_that_comes_along_needs_more_in_turn() -> None:
    needed = {name for workload in WORKLOADS for name in workload.get("needs", [])}
    assert needed <= set(NAMES)
    assert not [
        workload["name"] for workload in WORKLOADS if workload["name"] in needed and "needs" in workload
    ]


def test_templates_ask_what_is_generated_and_not_what_was_answered() -> None:
    reading = Environment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"])
    templates = [*(ROOT / "template").rglob("*.jinja"), *(ROOT / "includes").glob("*.jinja")]
    asking = {
        path.name
        for path in templates
        if "workloads" in find_undeclared_variables(reading.parse(path.read_text(encoding="utf-8")))
    }
    assert asking == {"workloads.jinja"}


def test_what_is_called_harmless_still_happens() -> None:
    files, whole = reference().whole.files, reference().whole
    found = {
        (need.by, need.what)
        for chosen in (*((name,) for name in (*NAMES[:1], *NAMES[3:])), NAMES[1:3], NAMES[2:4])
        for need in whole.dangling({path: files[path] for path in reference().filtered(chosen)})
    }
    assert set(HARMLESS) <= found


@pytest.mark.parametrize(
    ("forgotten", "said"),
    [
        ("notebooks/07_risk_stress_testing.py", "names ../notebooks/07_risk_stress_testing.py"),
        ("engine/acceleray/stages/simulate/stage.py", "imports acceleray.stages.simulate.stage"),
        ("engine/docs/engines.md", "names engine/docs/engines.md"),
        ("src/portfolio/workloads/risk_stress_testing.py", "names risk_stress_testing"),
    ],
)
def test_a_file_that_the_ownership_list_forgot_is_missed(forgotten: str, said: str) -> None:
    files = {path: content for path, content in reference().whole.files.items() if path != forgotten}
    assert any(need.why.startswith(said) for need in reference().whole.dangling(files))


def test_a_command_that_make_does_not_know_is_missed() -> None:
    files = {**reference().whole.files, "docs/new.md": b"Type `make coffee` first."}
    assert unknown_commands(files) == ["docs/new.md: make coffee"]


def _jobs(files: dict[str, bytes]) -> set[str]:
    """Return the workloads that have a job."""
    found: set[str] = set()
    for path, content in files.items():
        if path.startswith("resources/") and path.endswith(".yml"):
            found |= set(yaml.safe_load(content)["resources"].get("jobs", {}))
    return found & set(NAMES)
