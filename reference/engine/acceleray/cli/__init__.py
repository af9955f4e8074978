"""The `portfolio` command; nothing heavy is imported before it is needed."""

from acceleray.cli.app import main
from acceleray.cli.task import task

__all__ = ["main", "task"]
