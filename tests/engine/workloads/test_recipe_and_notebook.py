"""A notebook is its recipe, step by step: same stages, tables, versions and rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import rendered
from acceleray.engines.ray.local import local_ray
from acceleray.tables import RUNS
from acceleray.testing import SmallProject, small_project
from portfolio import PROJECT
from workloads.keys import broken_keys, stored

# A generated project's own tests do the same in every run.
pytestmark = [pytest.mark.ray, pytest.mark.nightly]
# Batch inference scores with a champion, which others train.
ORDER = sorted(PROJECT.workload_names(), key=lambda name: (name == "batch_inference", name))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Iterator[SmallProject]:
    home, folder = tmp_path_factory.mktemp("small"), rendered.project()
    notebooks = rendered.TEMPLATE / "notebooks"
    settings = SmallProject(PROJECT, folder, home, notebooks).settings()
    with (
        local_ray(settings) as fan_out,
        small_project(PROJECT, folder, home, notebooks, (spark, fan_out)) as project,
    ):
        yield project


@pytest.mark.parametrize("name", ORDER)
def test_a_notebook_reads_and_writes_what_its_recipe_does(name: str, small: SmallProject) -> None:
    notebook = small.notebook(name)
    assert small.steps(notebook), "it read and wrote nothing"
    # The evidence of a run is written once: by whichever of the two came first.
    (row,) = notebook.rows(RUNS).to_pylist()
    assert (row["run_id"], row["workload"]) == (notebook.identity.run_id, name)
    for stage in set(notebook.seconds) - {"report"}:
        assert f"{stage}: " in small.said
    for word in ("Spark and Delta", "version", "Ray", "tasks", "at once", "First rows of", "Report: "):
        assert word in small.said
    recipe = small.recipe(name)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
    assert not [touch.table.label for touch in recipe.touches if touch.changed]


def test_keys_that_the_catalog_is_told_hold_over_the_tables_of_every_workload(small: SmallProject) -> None:
    for name in ORDER:
        small.recipe(name)
    rows = stored(small.settings().state_dir)
    assert len(rows) > 40
    assert broken_keys(rows) == []
