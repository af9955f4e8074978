"""The `portfolio` command; nothing heavy is imported before it is needed."""

from portfolio.cli.app import main

__all__ = ["main"]
