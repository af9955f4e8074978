"""A message never recommends a command that the project does not have."""

from portfolio.advice import first_here, to_run
from portfolio.workloads import names


def test_what_is_recommended_is_here() -> None:
    assert first_here("no_such_workload", *names()) == names()[0]
    assert to_run(*names()) == f"`portfolio run {names()[0]}`"


def test_what_is_not_here_is_said_to_be_missing() -> None:
    assert first_here("no_such_workload") is None
    assert to_run("no_such_workload", "nor_this") == "`copier update`, and select no_such_workload"
