"""Ray's own command, held to this machine's loopback address; Ray on Spark starts it as `ray`.

Ray takes 127.0.0.1 for a mistake in a cluster of several nodes: it replaces it by the machine's own address
and listens on all of them. A cluster for tests and demonstrations on one machine must do neither.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from acceleray.engines.ray.environment import LOOPBACK
from acceleray.engines.ray.private import answer_from

LOG = "PORTFOLIO_RAY_LOG"


def command_in(folder: Path) -> Path:
    """Write a program named `ray` that runs `main`, and return its folder, to be put first on PATH."""
    folder.mkdir(mode=0o700)
    program = folder / "ray"
    program.write_text(f"#!{sys.executable}\nfrom acceleray.engines.ray.loopback import main\nmain()\n")
    program.chmod(0o700)
    return folder


def main() -> None:
    """Run Ray's command line; what it prints goes to the log file that the environment names."""
    log = os.open(os.environ[LOG], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from ray.scripts import scripts

    answer_from(LOOPBACK)
    sys.exit(scripts.main())
