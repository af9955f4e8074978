"""A workload of one's own: its files fit the project, and names that cannot be are refused in one line."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from acceleray.tables import ALL

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
JOB = """# Another one.
resources:
  jobs:
    other_study:
      name: "p-other-study-${bundle.target}"
      schedule: # paused in target dev
        quartz_cron_expression: "0 0 6 ? * MON-FRI"
        timezone_id: "UTC"
      tasks:
        - task_key: other_study
          notebook_task:
            notebook_path: ../notebooks/03_other_study.py
"""


def test_a_new_workload_has_recipe_table_notebook_test_and_job(project: Path, portfolio: Portfolio) -> None:
    (project / "resources").mkdir()
    (project / "resources/other_study.job.yml").write_text(JOB)
    code, out, err = portfolio("new-workload", "credit_study")
    assert (code, err) == (0, [])
    made = [line for line in out if (project / line).is_file()]
    assert made == [
        "src/portfolio/workloads/credit_study.py",
        "src/portfolio/tables/credit_study.py",
        "notebooks/08_credit_study.py",
        "tests/workloads/test_credit_study.py",
        "resources/credit_study.job.yml",
    ]
    for path in made[:-1]:
        ast.parse((project / path).read_text("utf-8"))
        assert "$" not in (project / path).read_text("utf-8")
    (job,) = yaml.safe_load((project / made[-1]).read_text("utf-8"))["resources"]["jobs"].items()
    assert job[0] == "credit_study"
    assert job[1]["name"] == "p-credit-study-${bundle.target}"
    assert set(job[1]) == {"name", "tasks"}, "no schedule: nobody has said when it shall run by itself"
    assert job[1]["tasks"][0]["notebook_task"]["notebook_path"] == "../notebooks/08_credit_study.py"


def test_a_second_one_gets_the_next_number_and_no_name_is_given_twice(
    project: Path, portfolio: Portfolio
) -> None:
    assert portfolio("new-workload", "credit_study")[0] == 0
    assert portfolio("new-workload", "rates")[0] == 0
    assert (project / "notebooks/09_rates.py").is_file()
    before = sorted(project.rglob("*"))
    code, _, err = portfolio("new-workload", "rates")
    assert (code, err) == (
        2,
        ["Error: src/portfolio/workloads/rates.py already exists; choose another name."],
    )
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Credit", "'Credit' cannot be a workload"),
        ("../evil", "'../evil' cannot be a workload"),
        ("class", "'class' cannot be a workload"),
        ("match", "'match' cannot be a workload"),
        ("con", "'con' cannot be a workload: the name is reserved"),
        ("lpt1", "'lpt1' cannot be a workload: the name is reserved"),
        ("1st", "'1st' cannot be a workload"),
        ("a__b", "'a__b' cannot be a workload"),
        ("a" * 41, "has more than 40 letters"),
        (ALL[0].name, "There is a table"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_line(
    name: str, said: str, project: Path, portfolio: Portfolio
) -> None:
    code, out, err = portfolio("new-workload", name)
    assert (code, out, len(err)) == (2, [], 1)
    assert said in err[0]
    assert not (project / "src").exists()
