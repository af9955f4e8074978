"""The planted faults are kept: each in a line that is there, and the most feared planted for real."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from planted_faults import FAULTS, Fault, planted
from render import ROOT
from test_ownership import WORKLOADS

# What every run of these tests must plant: a fault's words begin with one of these.
NAMED = ("drop the residual", "use today's VaR", "shift by one day", "forget the fractional scenario")
JUDGED = {"portfolio_model_calibration", "risk_stress_testing"}


@cache
def its_tests(name: str) -> frozenset[str]:
    """Return the names of the tests in a file of the template's own tests."""
    tree = ast.parse((ROOT / "tests/engine" / name).read_text(encoding="utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))


@cache
def starts_engines(name: str) -> bool:
    """Return whether every test of a file starts Ray or Spark, as the file says at its head."""
    tree = ast.parse((ROOT / "tests/engine" / name).read_text(encoding="utf-8"))
    lines = [ast.unparse(each) for each in tree.body if isinstance(each, ast.Assign)]
    marks = ("pytest.mark.ray", "pytest.mark.spark", "pytest.mark.cluster")
    return any(line.startswith("pytestmark") and mark in line for line in lines for mark in marks)


def test_every_workload_has_a_planted_fault() -> None:
    assert {fault.workload for fault in FAULTS} == {workload["name"] for workload in WORKLOADS}


def test_no_fault_is_listed_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({(fault.module, fault.right, fault.wrong) for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_planted_in_a_line_that_is_there_once(fault: Fault) -> None:
    module = (ROOT / "template" / fault.module).read_text(encoding="utf-8")
    assert module.count(fault.right) == 1
    ast.parse(module.replace(fault.right, fault.wrong))
    file, _, test = fault.noticed_by.partition("::")
    assert test in its_tests(file) if test else its_tests(file)
    # Else `make planted` would look for it among the tests without engines.
    assert fault.engines or not starts_engines(file)


def test_a_fault_of_calibration_or_stress_names_the_one_test_that_must_notice() -> None:
    assert [fault.name for fault in FAULTS if fault.workload in JUDGED and "::" not in fault.noticed_by] == []


def test_the_faults_that_everyone_fears_are_noticed_and_one_of_each_workload() -> None:
    always = [fault for fault in FAULTS if fault.always]
    assert {fault.workload for fault in always} == {workload["name"] for workload in WORKLOADS}
    assert {name for name in NAMED if any(fault.what.startswith(name) for fault in always)} == set(NAMED)
    # Another lane of `make test` runs the same tests on what has no fault.
    missed = [seen.fault.name for seen in planted(always, known_to_pass=True) if not seen.noticed]
    assert missed == []
