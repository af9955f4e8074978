"""Every recipe of every choice of workloads can be imported without the others, by Python itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imported import failures
from render import ROOT
from test_subsets import SUBSETS, number_of, reference, with_what_it_needs

ENGINE, SOURCE = ROOT / "reference/engine", "src/"


def below_source(paths: set[str]) -> set[str]:
    return {path.removeprefix(SOURCE) for path in paths if path.startswith(SOURCE)}


def test_all_modules_of_all_127_choices_are_imported(tmp_path: Path) -> None:
    choices = {with_what_it_needs(chosen) for chosen in SUBSETS}
    projects = {number_of(chosen): below_source(reference().filtered(chosen)) for chosen in choices}
    # All files of the package are those of reference/, byte for byte.
    assert not [path for path in reference().rendered if path.startswith(SOURCE)]
    assert failures(ENGINE, ROOT / "reference" / SOURCE, projects, tmp_path) == {}


@pytest.mark.nightly
def test_a_module_that_cannot_be_imported_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    source = Path(shutil.copytree(ROOT / "reference" / SOURCE, tmp_path / "source"))
    study = "portfolio/workloads/credit_study.py"
    (source / study).write_text("from portfolio.workloads.gone import WORKLOAD\n")
    files = below_source(set(reference().whole.files))
    (tmp_path / "scratch").mkdir()
    said = failures(ENGINE, source, {"complete": files, "broken": files | {study}}, tmp_path / "scratch")
    assert said.keys() == {"broken"}
    assert "No module named 'portfolio.workloads.gone'" in said["broken"]
