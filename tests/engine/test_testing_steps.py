"""A recipe and its notebook are compared without running them: what one lacks is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceleray.testing.steps import differences
from portfolio import PROJECT
from rendered import TEMPLATE

STAGE = """    with run.stage("calibrate", "Calibrate GJR-GARCH-t (Ray)"):
        calibration = calibrate(run)
"""


def files(workload: str) -> tuple[Path, Path]:
    (notebook,) = (TEMPLATE / "notebooks").glob(f"*_{workload}.py")
    return TEMPLATE / "src/portfolio/workloads" / f"{workload}.py", notebook


@pytest.mark.parametrize("workload", PROJECT.workload_names())
def test_a_notebook_is_its_recipe_step_by_step(workload: str) -> None:
    assert differences(*files(workload)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (STAGE, "", "recipe.py does not have: with run.stage('calibrate'"),
        (
            "calibration = calibrate(run)",
            "calibration = calibrate(run, 2)",
            "notebook.py does not have, in this",
        ),
        (
            "horizons = simulate(run, calibration, book)",
            "horizons = ()",
            "notebook.py does not have, in this",
        ),
    ],
)
def test_what_one_of_the_two_lacks_is_named(old: str, new: str, said: str, tmp_path: Path) -> None:
    recipe, notebook = files("end_to_end_pipeline")
    edited, copied = tmp_path / "recipe.py", tmp_path / "notebook.py"
    text = recipe.read_text(encoding="utf-8")
    assert text.count(old) == 1
    edited.write_text(text.replace(old, new), encoding="utf-8")
    copied.write_text(notebook.read_text(encoding="utf-8"), encoding="utf-8")
    found = differences(edited, copied)
    assert found
    assert found[0].startswith(said)
