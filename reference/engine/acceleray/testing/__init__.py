"""Helpers for the tests of a project; nothing else imports it."""

from acceleray.testing.small import SmallProject, small_project

__all__ = ["SmallProject", "small_project"]
