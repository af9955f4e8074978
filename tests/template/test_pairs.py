"""Every two answers on cloud, size, catalogs, pipeline, runtime and GPU meet in a project that is checked."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

import bundle
from conftest import Answers, answers_of, contents, drawn
from render import ROOT
from test_pipelines import FILES

SEPARATE, SAME = "separate", "same"
CATALOGS: dict[str, Answers] = {
    SEPARATE: {},
    SAME: {"catalog_dev": "one", "catalog_staging": "one", "catalog_prod": "one"},
}
ASKED = ("cloud", "cluster_size", "ci_provider", "databricks_runtime", "accelerator")


def offered() -> dict[str, list[str]]:
    """Return what can be chosen in each respect, as the questions offer it."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {"catalogs": list(CATALOGS), **{name: list(loaded[name]["choices"].values()) for name in ASKED}}


def rows() -> list[dict[str, str]]:
    """Return a row for each cloud and size, with the other answers turning at speeds that never lock."""
    choices = offered()
    return [
        {
            "cloud": choices["cloud"][cloud],
            "cluster_size": choices["cluster_size"][size],
            "catalogs": choices["catalogs"][(cloud + size) % 2],
            "ci_provider": choices["ci_provider"][(cloud + size) % 3],
            "databricks_runtime": choices["databricks_runtime"][(cloud + size // 2) % 2],
            "accelerator": choices["accelerator"][(cloud // 2 + size) % 2],
        }
        for cloud, size in product(range(len(choices["cloud"])), range(len(choices["cluster_size"])))
    ]


def answers_in(row: dict[str, str]) -> Answers:
    return {**{name: row[name] for name in ASKED}, **CATALOGS[row["catalogs"]]}


SPECIAL: list[Answers] = [
    {"cloud": "azure", "cluster_size": "M", "catalog_dev": "a", "catalog_staging": "a", "catalog_prod": "b"},
]
# Another seed draws other rows for `make test`; the night takes all.
SEED = 19
ROWS = [*map(answers_in, rows()), *SPECIAL]


def test_every_two_answers_meet_in_a_row() -> None:
    for (one, its), (other, theirs) in combinations(offered().items(), 2):
        met = {(row[one], row[other]) for row in rows()}
        assert met == set(product(its, theirs)), f"{one} and {other}"


@pytest.mark.parametrize(
    "answers", drawn(ROWS, SEED, 6), ids=lambda answers: "-".join(map(str, answers.values()))
)
def test_a_row_changes_no_file_that_is_copied_as_it_stands(
    answers: Answers, rendered: Callable[[Answers], Path], whole: dict[str, bytes]
) -> None:
    project = rendered(answers)
    files = contents(project)
    assert bundle.problems(project) == []
    from_jinja = {
        path.relative_to(ROOT / "template").as_posix().removesuffix(".jinja")
        for path in (ROOT / "template").rglob("*.jinja")
    }
    provider = answers.get("ci_provider", "github")
    assert set(files) == (set(whole) - FILES["github"]) | FILES[provider]
    for path in files.keys() - from_jinja:
        original = whole.get(path) or (ROOT / "template" / path).read_bytes()
        assert files[path] == original, path
    targets = yaml.safe_load(files["databricks.yml"])["targets"]
    places = [(each["variables"]["catalog"], each["variables"]["schema_prefix"]) for each in targets.values()]
    assert len(set(places)) == 4, "two environments would share their tables"
    same = answers.get("catalog_dev") == "one"
    assert len({catalog for catalog, _ in places}) == (1 if same else 2 if answers in SPECIAL else 3)
    for path in from_jinja & files.keys():
        parses(path, files[path].decode("utf-8"))


@pytest.fixture(scope="module")
def whole(rendered_once: Callable[[str], Path]) -> dict[str, bytes]:
    """Return the files of the reference answers."""
    return contents(rendered_once(json.dumps(answers_of("reference"))))


def parses(path: str, text: str) -> None:
    """Fail where a generated file is not what its name says, or has a hole."""
    if path.endswith(".yml"):
        assert isinstance(yaml.safe_load(text), dict), path
    elif path.endswith(".toml"):
        assert tomllib.loads(text), path
    elif path.endswith(".py"):
        ast.parse(text, path)
    assert not re.search(r"\n\n\n", text), f"{path} has a hole where something was left out"
