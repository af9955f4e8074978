"""The command line as a task of a Databricks job, where an exit code would be seen by nobody."""

from __future__ import annotations

import sys

from portfolio.cli.app import main
from portfolio.errors import PortfolioError


def task() -> None:
    """Run the command line with the parameters of the task, as `sys.argv` has them.

    Raises:
        PortfolioError: the command ended with anything but 0; Databricks takes only an error for a failure.
    """
    if code := main():
        said = "the lines above say why"
        raise PortfolioError(f"portfolio {' '.join(sys.argv[1:2])} ended with exit code {code}; {said}.")
