"""Investment signal prioritization: fourteen signals are judged at two horizons."""

import pytest

from acceleray.tables import SIGNAL_RANKS
from acceleray.testing import SmallProject

NAME = "investment_signal_prioritization"


@pytest.mark.ray
def test_the_notebook_runs_on_a_small_slice(small: SmallProject) -> None:
    notebook = small.notebook_once(NAME)
    found = small.rows(notebook, SIGNAL_RANKS)
    assert len(found) == 28
    assert "Report: " in small.said


@pytest.mark.ray
@pytest.mark.nightly
def test_the_recipe_reads_and_writes_what_the_notebook_does(small: SmallProject) -> None:
    notebook = small.notebook(NAME)
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
