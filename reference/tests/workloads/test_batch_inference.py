"""Batch inference: every instrument has a row."""

import pytest

from acceleray.tables import PREDICTIONS, PREDICTIONS_QUARANTINED
from acceleray.testing import SmallProject

NAME = "batch_inference"


@pytest.mark.ray
def test_the_notebook_runs_on_a_small_slice(small: SmallProject) -> None:
    # Something has to train a champion.
    trains = {"distributed_training", "end_to_end_pipeline"} & set(small.project.workload_names())
    small.notebook_once(min(trains))
    notebook = small.notebook_once(NAME)
    found = (small.rows(notebook, table) for table in (PREDICTIONS, PREDICTIONS_QUARANTINED))
    assert sum(map(len, found)) == 5


@pytest.mark.ray
@pytest.mark.nightly
def test_the_recipe_reads_and_writes_what_the_notebook_does(small: SmallProject) -> None:
    trains = {"distributed_training", "end_to_end_pipeline"} & set(small.project.workload_names())
    small.notebook_once(min(trains))
    notebook = small.notebook(NAME)
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
