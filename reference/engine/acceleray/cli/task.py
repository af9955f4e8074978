"""The command line as a task of a Databricks job, where an exit code would be seen by nobody."""

from __future__ import annotations

import sys

from acceleray.cli.app import main
from acceleray.errors import PortfolioError
from acceleray.runtime.project import Project


def task(project: Project) -> None:
    """Run the command line with the parameters of the task, as `sys.argv` has them.

    Raises:
        PortfolioError: the command ended with anything but 0; Databricks takes only an error for a failure.
    """
    if code := main(project):
        said = "the lines above say why"
        raise PortfolioError(f"portfolio {' '.join(sys.argv[1:2])} ended with exit code {code}; {said}.")
