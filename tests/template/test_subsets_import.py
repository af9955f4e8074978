"""Every module of every choice of workloads can be imported, by Python itself."""

from __future__ import annotations

from pathlib import Path

from imported import failures
from render import ROOT
from test_subsets import SUBSETS, number_of, reference, with_what_it_needs

SOURCE = "src/"


def below_source(paths: set[str]) -> set[str]:
    return {path.removeprefix(SOURCE) for path in paths if path.startswith(SOURCE)}


def test_all_modules_of_all_127_choices_are_imported(tmp_path: Path) -> None:
    choices = {with_what_it_needs(chosen) for chosen in SUBSETS}
    projects = {number_of(chosen): below_source(reference().filtered(chosen)) for chosen in choices}
    # All files of the package are those of reference/, byte for byte.
    assert not [path for path in reference().rendered if path.startswith(SOURCE)]
    assert failures(ROOT / "reference" / SOURCE, projects, tmp_path) == {}


def test_a_module_that_is_missing_is_named_with_the_one_that_imports_it(tmp_path: Path) -> None:
    files = below_source(set(reference().whole.files))
    projects = {"complete": files, "broken": files - {"portfolio/quant/risk.py"}}
    said = failures(ROOT / "reference" / SOURCE, projects, tmp_path)
    assert said.keys() == {"broken"}
    assert "No module named 'acceleray.quant.risk'" in said["broken"]
