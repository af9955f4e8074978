"""The matrix: each fault is a test; together they print what happened, what was lost and how long it took."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Row:
    """One fault as it was met."""

    fault: str
    what_happens: str
    recovered_s: float = float("nan")
    since: float = 0.0

    def struck(self) -> None:
        """Note the moment of the fault."""
        self.since = time.monotonic()

    def recovered(self) -> None:
        """Note the moment at which the results were whole."""
        self.recovered_s = time.monotonic() - self.since


@pytest.fixture
def matrix(request: pytest.FixtureRequest) -> Callable[[str, str], Row]:
    """Return a function that opens the fault's row of the matrix."""

    def row(fault: str, what_happens: str) -> Row:
        made = Row(fault, what_happens)
        request.node.user_properties.append(("fault", made))
        return made

    return row


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Return a gate at which the drill's tasks wait until something has happened to them."""
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project folder with settings and nothing else."""
    return new_project(tmp_path)


def new_project(folder: Path) -> Path:
    (folder / "conf").mkdir(parents=True)
    base = "project: {name: drill, customer: Tests}\nspark: {cores: 2, shuffle_partitions: 2}\n"
    (folder / "conf" / "base.yml").write_text(base, encoding="utf-8")
    (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix", metavar="FILE", help="Print the fault matrix, and write it to this file.")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the matrix, and write it to the file that `--matrix` names."""
    rows = list(_rows(terminalreporter))
    target = config.getoption("--matrix", default=None)
    if not rows or target is None:
        return
    lines = ["| fault | what happens | lost | seconds to recover | held |", "|---|---|---|---:|---|"]
    for row in rows:
        seconds = f"{row['recovered_s']:.0f}" if row["held"] else "-"
        lost, held = ("nothing", "yes") if row["held"] else ("?", "NO")
        lines.append(f"| {row['fault']} | {row['what_happens']} | {lost} | {seconds} | {held} |")
    terminalreporter.section("fault matrix")
    for line in lines:
        terminalreporter.write_line(line)
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _rows(terminalreporter: Any) -> Iterator[dict[str, Any]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, row in getattr(report, "user_properties", ()):
                if name == "fault":
                    yield asdict(row) | {"held": outcome == "passed"}
