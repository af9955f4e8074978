"""What Ray's workers are started with."""

from __future__ import annotations

import sys

import pytest

from acceleray.engines.ray.environment import workers_environment


def test_a_python_in_a_folder_with_a_space_is_quoted_for_the_shell_that_starts_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/my project/bin/python")
    assert workers_environment() == {"py_executable": "'/opt/my project/bin/python'"}
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert workers_environment() is None
