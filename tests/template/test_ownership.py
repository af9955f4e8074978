"""One list says which files belong to which workload."""

from __future__ import annotations

import shutil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from acceleray_cli import quick
from conftest import contents
from render import ROOT, render

INCLUDES = Environment(loader=FileSystemLoader(ROOT / "includes"), autoescape=False)
WORKLOADS = INCLUDES.get_template("workloads.jinja").module.WORKLOADS  # type: ignore[attr-defined]
SECOND = """[
  {"name": "second_recipe", "number": "99", "title": "2nd", "summary": "2nd.",
   "stages": ["ingest", "extra", "report"]},
"""


def test_no_workload_name_contains_another() -> None:
    names = [workload["name"] for workload in WORKLOADS]
    assert not [(one, other) for one in names for other in names if one != other and one in other]


def test_what_a_customer_owns_can_be_read_in_an_afternoon(defaults: Path) -> None:
    own = {name: text for name, text in contents(defaults).items() if not name.startswith("engine/")}
    code = [text for name, text in own.items() if name.endswith(".py")]
    assert len(own) <= 120
    assert sum(text.count(b"\n") for text in code) <= 6_000


def test_every_notebook_and_recipe_belongs_to_a_workload() -> None:
    notebooks = {f"{workload['number']}_{workload['name']}" for workload in WORKLOADS}
    names = {workload["name"] for workload in WORKLOADS}
    assert {path.stem for path in (ROOT / "template/notebooks").glob("*.py")} == notebooks
    recipes = {path.stem for path in (ROOT / "template/src/portfolio/workloads").glob("*.py")}
    assert {recipe for recipe in recipes if not recipe.startswith("_")} == names
    jobs = {path.name.split(".")[0] for path in (ROOT / "template/resources").glob("*.job.yml*")}
    assert jobs == names


def test_a_workload_that_is_not_selected_brings_no_files(template: Path, tmp_path: Path) -> None:
    source = tmp_path / "template"
    shutil.copytree(template, source)
    owners = source / "includes/workloads.jinja"
    owners.write_text(owners.read_text(encoding="utf-8").replace("WORKLOADS = [\n", f"WORKLOADS = {SECOND}"))
    added = {
        "notebooks/99_second_recipe.py",
        "src/portfolio/workloads/second_recipe.py",
        "resources/second_recipe.job.yml",
        "tests/workloads/test_second_recipe.py",
        "conf/extra.yml",
    }
    for name in added | {"conf/ingest.yml"}:
        path = source / "template" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("owned: true\n")

    two = ["end_to_end_pipeline", "second_recipe"]
    with quick.writing():
        both = set(contents(render(source, tmp_path / "both", {"workloads": two})))
        first = set(contents(render(source, tmp_path / "first", {"workloads": ["end_to_end_pipeline"]})))
        second = set(contents(render(source, tmp_path / "second", {"workloads": ["second_recipe"]})))

    assert both - first == added
    assert "conf/ingest.yml" in second, "settings of a stage that two workloads use stay with either"
    assert added <= second
    assert not [name for name in second if "end_to_end_pipeline" in name]
    engine = {name for name in both if name.startswith("engine/")}
    assert engine
    assert engine <= first & second, "the engine is whole in every project"
