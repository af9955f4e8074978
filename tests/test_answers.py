"""Every question has a use, every bad answer a plain refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Answers, contents
from render import ROOT, render

# One other answer to each question; a question that is missing here fails the first test below.
OTHERS: Answers = {
    "project_name": "Market Risk Platform",
    "project_slug": "market-risk",
    "customer_name": "Müller & Söhne, d'Été 年金",
    "cloud": "azure",
    "databricks_runtime": "17.3.x-cpu-ml-scala2.13",
    "catalog_dev": "risk_dev",
    "catalog_staging": "risk_staging",
    "catalog_prod": "risk_prod",
    "schema_dev": "market_dev",
    "schema_staging": "market_staging",
    "schema_prod": "market_prod",
    "cluster_size": "L",
    "cluster_workers": 7,
    "ci_provider": "gitlab",
}
REFUSED: list[tuple[str, Any]] = [
    *(("project_name", text) for text in ("", " padded ", 'two "quotes"', "a\nb", "{{ 7 * 7 }}", "x" * 81)),
    *(
        ("customer_name", text)
        for text in ('A "B" C', "A\nB", "back\\slash", "tab\there", "A{B", "A\u2028B", "a`b")
    ),
    *(
        ("project_slug", text)
        for text in ("Upper", "1st", "a--b", "a-", "ünicode", "a b", "a\n", "../up", "ray")
    ),
    *(("catalog_dev", text) for text in ("Main", "a-b", "1a", "a.b", "a b", "system", "a;drop", "a\n")),
    *(("catalog_staging", text) for text in ("", "ä")),
    *(("catalog_prod", text) for text in ("a`b", "hive_metastore")),
    *(("schema_dev", text) for text in ("", "a-b", "information_schema")),
    *(("schema_staging", text) for text in ("A", "a/b")),
    *(("schema_prod", text) for text in ("a'b", "x" * 61)),
    ("cloud", "on_premises"),
    ("databricks_runtime", "16.4.x-cpu-ml-scala2.12"),
    ("workloads", []),
    ("workloads", ["no_such_workload"]),
    ("cluster_size", "XXL"),
    ("ci_provider", "jenkins"),
    *(("cluster_workers", number) for number in (0, -1, 501, "many")),
]


def questions() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {name: question for name, question in loaded.items() if not name.startswith("_")}


def test_every_question_is_tried_with_another_answer_and_with_bad_ones() -> None:
    assert set(questions()) == {*OTHERS, "workloads"}
    assert set(questions()) == {name for name, _ in REFUSED}


@pytest.mark.parametrize("name", OTHERS)
def test_every_answer_changes_a_generated_file(
    name: str, defaults: Path, rendered: Callable[[Answers], Path]
) -> None:
    before, after = contents(defaults), contents(rendered({name: OTHERS[name]}))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed - {".copier-answers.yml"}, f"nothing but the record of answers knows {name}"
    where = "node_type" if name in ("cloud", "cluster_size") else str(OTHERS[name])
    assert any(where.encode() in after[path] for path in changed - {".copier-answers.yml"} if path in after)


@pytest.mark.parametrize(("name", "answer"), REFUSED)
def test_a_bad_answer_is_refused_and_nothing_is_written(
    name: str, answer: Any, template: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    with pytest.raises(ValueError, match=rf"(?i){name}|choose|choice|use |write|leave|literal") as refusal:
        render(template, project, {name: answer})
    assert "Traceback" not in str(refusal.value)
    assert not project.exists() or not list(project.iterdir())


def test_two_environments_cannot_share_their_tables(template: Path, tmp_path: Path) -> None:
    shared = {"catalog_dev": "risk", "catalog_prod": "risk", "schema_dev": "market", "schema_prod": "market"}
    with pytest.raises(ValueError, match="dev environment already uses catalog risk"):
        render(template, tmp_path / "project", shared)


def test_names_that_yaml_reads_as_something_else_stay_names(rendered: Callable[[Answers], Path]) -> None:
    project = rendered({"catalog_dev": "no", "schema_dev": "null", "project_slug": "true"})
    conf = yaml.safe_load((project / "conf/dev.yml").read_text(encoding="utf-8"))
    bundle = yaml.safe_load((project / "databricks.yml").read_text(encoding="utf-8"))
    assert conf["catalog"]["name"] == "no"
    assert bundle["targets"]["dev"]["variables"]["schema_prefix"] == "null"
    assert bundle["bundle"]["name"] == "true"


def test_every_question_says_what_it_means_with_an_example() -> None:
    for name, question in questions().items():
        assert "Example: " in question["help"], f"{name} has no example"
        assert "default" in question, f"{name} does not work by pressing Enter"


def test_nothing_asks_for_trust() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(loaded)
