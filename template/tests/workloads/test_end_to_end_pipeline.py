"""The end-to-end pipeline: forty portfolios have two measures at two horizons."""

import pytest

from acceleray.tables import RISK_MEASURES
from acceleray.testing import SmallProject

NAME = "end_to_end_pipeline"


@pytest.mark.ray
def test_the_notebook_reads_and_writes_what_the_recipe_does(small: SmallProject) -> None:
    notebook = small.notebook(NAME)
    found = small.rows(notebook, RISK_MEASURES)
    assert len(found) == 160
    assert "Report: " in small.said
    recipe = small.recipe(NAME)
    assert recipe.identity == notebook.identity
    assert small.steps(recipe) == small.steps(notebook)
