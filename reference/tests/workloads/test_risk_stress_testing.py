"""Risk stress testing: scenarios have losses."""

import pytest

from acceleray.tables import STRESS_LOSSES
from acceleray.testing import SmallProject

NAME = "risk_stress_testing"


@pytest.mark.ray
def test_the_notebook_runs_on_a_small_slice(small: SmallProject) -> None:
    notebook = small.notebook_once(NAME)
    found = small.rows(notebook, STRESS_LOSSES)
    assert len(found) > 0
    assert "Report: " in small.said


@pytest.mark.ray
@pytest.mark.nightly
def test_the_recipe_reads_and_writes_what_the_notebook_does(small: SmallProject) -> None:
    notebook = small.notebook(NAME)
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
