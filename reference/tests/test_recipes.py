"""Recipes: every one says what its notebook says, step by step."""

from pathlib import Path

import pytest

from acceleray.testing.steps import faults
from portfolio import PROJECT

NOTEBOOKS = {path.stem.partition("_")[2] for path in (Path(__file__).parents[1] / "notebooks").glob("*.py")}


@pytest.mark.parametrize("workload", [name for name in PROJECT.workload_names() if name in NOTEBOOKS])
def test_a_notebook_is_its_recipe_step_by_step(workload: str, folder: Path) -> None:
    assert faults(folder, workload) == []
