"""The command `portfolio`, as `python -m portfolio` too."""

import sys

from acceleray import cli
from portfolio import PROJECT


def main() -> int:
    """Run the command line and return its exit code."""
    return cli.main(PROJECT)


def task() -> None:
    """Run the command line as a task of a Databricks job, where only an error counts as a failure."""
    cli.task(PROJECT)


if __name__ == "__main__":
    sys.exit(main())
