"""The planted faults are kept: one at least a workload, each in a line that is there."""

from __future__ import annotations

import pytest

from planted_faults import FAULTS, Fault
from render import ROOT
from test_ownership import WORKLOADS


def test_every_workload_has_a_planted_fault() -> None:
    assert {fault.workload for fault in FAULTS} == {workload["name"] for workload in WORKLOADS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.workload)
def test_a_fault_is_planted_in_a_line_that_is_there_once(fault: Fault) -> None:
    module = (ROOT / "template/src/portfolio" / fault.module).read_text(encoding="utf-8")
    assert module.count(fault.right) == 1
    assert (ROOT / "template/tests" / fault.noticed_by).is_file()
