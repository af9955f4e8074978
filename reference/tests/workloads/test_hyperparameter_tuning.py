"""Hyperparameter tuning: every trial is kept."""

import pytest

from acceleray.tables import TRIALS
from acceleray.testing import SmallProject

NAME = "hyperparameter_tuning"


@pytest.mark.ray
def test_the_notebook_reads_and_writes_what_the_recipe_does(small: SmallProject) -> None:
    notebook = small.notebook(NAME)
    found = small.rows(notebook, TRIALS)
    assert len(found) == 4
    assert "Report: " in small.said
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
