"""The bundle: every file that a job names is here, and every workload has a job."""

from pathlib import Path

from acceleray.testing.bundle import faults, jobs
from portfolio import PROJECT


def test_every_file_that_a_job_names_is_in_the_project(folder: Path) -> None:
    assert faults(folder) == []


def test_every_workload_has_a_job_and_no_job_is_of_another(folder: Path) -> None:
    assert sorted(jobs(folder)) == list(PROJECT.workload_names())
