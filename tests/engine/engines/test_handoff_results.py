"""What Ray brings back must be one sound file of each part, or none of it is committed."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from acceleray.engines.handoff.files import StageDamagedError, inspect, part_name
from acceleray.engines.handoff.manifest import read_manifest
from acceleray.engines.handoff.results import validated
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.work import Done
from engines.handing import TRADES

ROWS = pa.table({"number": list(range(5000)), "amount": [1.0 / (n + 1) for n in range(5000)]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda done: done.pop(), r"has 2 results of 3; missing are \[2\]"),
        (lambda done: done.append(done[0]), r"has 4 results of 3; missing are \[\]"),
        (lambda done: done.__setitem__(1, done[0]), r"has 3 results of 3; missing are \[1\]"),
        (lambda done: left_over(done[0]), r"part-00009.parquet is the result of no part"),
        (lambda done: Path(done[1].file.path).unlink(), r"part-00001.parquet is missing"),
        (lambda done: shorten(Path(done[1].file.path)), r"part-00001.parquet has \d+ bytes instead of"),
        (lambda done: done.__setitem__(1, other_columns(done[1])), r"part-00001.parquet has other columns"),
    ],
)
def test_results_must_be_one_sound_file_of_each_part(tmp_path: Path, change: Any, message: str) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    done = [written(folder / part_name(number), number, ROWS) for number in range(3)]
    selection = Selection(TRADES, 7, "one", ("number",))
    manifest = validated(done, 3, selection, ROWS.schema, folder)
    assert manifest.rows == 15_000
    assert read_manifest(tmp_path / "results.json") == manifest
    change(done)
    with pytest.raises(StageDamagedError, match=message):
        validated(done, 3, selection, ROWS.schema, folder)


def written(path: Path, number: int, rows: pa.Table) -> Done:
    pq.write_table(rows, path, write_page_checksum=True)
    return Done(number, len(rows), file=inspect(path)[0])


def other_columns(done: Done) -> Done:
    assert done.file is not None
    return written(Path(done.file.path), done.number, ROWS.rename_columns(["number", "anything"]))


def left_over(done: Done) -> None:
    assert done.file is not None
    shutil.copy(done.file.path, Path(done.file.path).with_name("part-00009.parquet"))


def shorten(path: Path) -> None:
    """Make it a sound Parquet file with one row fewer."""
    rows = pq.read_table(path)
    pq.write_table(rows.slice(1), path, write_page_checksum=True)
