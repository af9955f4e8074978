"""The `portfolio` command; nothing heavy is imported before it is needed."""

from portfolio.cli.app import main
from portfolio.cli.task import task

__all__ = ["main", "task"]
