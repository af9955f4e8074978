"""Ray that starts slowly is started again, and nothing is left of what was too slow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from acceleray.engines.processes.cleanup import family, members
from acceleray.engines.ray.local import begun
from acceleray.errors import PortfolioError
from engines.living import PATIENCE_S

# As Ray words it.
SLOW = "The current node timed out during startup. This could happen because the GCS has become overloaded."


def test_a_second_attempt_finds_nothing_left_of_the_first() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> None:
        with_first = bool(started)
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        if not with_first:
            raise Exception(SLOW)

    with family() as mark:
        begun(begin, mark)
        assert len(started) == 2
        assert started[0].wait(timeout=PATIENCE_S) != 0
        assert [process.pid for process in members(mark)] == [started[1].pid]
        started[1].kill()
        started[1].wait()


def test_what_is_too_slow_every_time_is_one_plain_line() -> None:
    def begin() -> None:
        raise Exception(SLOW)

    with (
        family() as mark,
        pytest.raises(PortfolioError, match=r"Ray did not start in 3 attempts .* run again"),
    ):
        begun(begin, mark)


def test_another_failure_is_not_tried_again() -> None:
    attempts = []

    def begin() -> None:
        attempts.append(1)
        raise ValueError("num_cpus is negative")

    with family() as mark, pytest.raises(ValueError, match="num_cpus"):
        begun(begin, mark)
    assert len(attempts) == 1
