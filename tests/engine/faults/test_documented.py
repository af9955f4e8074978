"""docs/faults.md has the rows of the matrix, in the words of its tests."""

from __future__ import annotations

import re
from pathlib import Path

from faults.test_driver_faults import POINTS
from rendered import ENGINE

HERE = Path(__file__).parent
DOCUMENT = ENGINE / "docs" / "faults.md"
TRIED = re.compile(r'matrix\(\s*f?"([^"]+)",\s*"([^"]+)"')


def test_the_document_has_every_row_of_the_matrix_and_no_other() -> None:
    tried = set()
    for path in HERE.glob("test_*faults.py"):
        tried |= set(TRIED.findall(path.read_text(encoding="utf-8")))
    tried |= set(TRIED.findall((HERE / "test_killed_on_cluster.py").read_text(encoding="utf-8")))
    every = {(name.replace("{point}", point), what) for name, what in tried for point in POINTS}
    rows = [line.split("|")[1:-1] for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows if len(row) == 4]
    table = [row for row in cells if row[0] != "fault" and not row[0].startswith("-")]
    assert {(row[0], row[1]) for row in table} == every
    assert len(every) >= 19
    assert all(row[2] == "nothing" and row[3].isdigit() for row in table)
