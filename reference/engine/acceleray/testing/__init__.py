"""What a project's own tests are made with; nothing else imports it."""

from acceleray.testing.small import SmallProject, small_project

__all__ = ["SmallProject", "small_project"]
