"""The planted faults are kept: one at least a workload, each in a line that is there."""

from __future__ import annotations

import pytest

from faults import Fault, read
from planted_faults import planted
from render import ROOT
from test_ownership import WORKLOADS

FAULTS = read()


def test_every_workload_has_a_planted_fault() -> None:
    assert {fault.workload for fault in FAULTS} == {workload["name"] for workload in WORKLOADS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_planted_in_a_line_that_is_there_once(fault: Fault) -> None:
    module = (ROOT / "template/src/portfolio" / fault.module).read_text(encoding="utf-8")
    assert module.count(fault.right) == 1
    assert (ROOT / "template/tests" / fault.noticed_by).is_file()


# What a risk desk has seen go wrong; all others are planted by `make planted`.
OFTEN = (
    "attribution drops the residual",
    "past returns are tested against today's value at risk",
    "losses are shifted by one day against their forecasts",
    "simulated tails forget the fractional scenario",
)


def test_faults_that_are_often_made_are_noticed_by_the_projects_own_tests() -> None:
    chosen = [fault for fault in FAULTS if fault.what in OFTEN]
    assert len(chosen) == len(OFTEN)
    assert planted(chosen) == 0
