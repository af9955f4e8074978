"""Results in parts on real Spark and Delta: the same rows by the driver and by files, and nothing left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest

from acceleray.engines.delta.lake import Commit
from acceleray.engines.handoff import parts as parts_module
from acceleray.engines.handoff.parts import commit_parts
from acceleray.engines.handoff.transform import Target
from acceleray.runtime.run import Run
from engines.handing import CONSTANTS, SCORES, expected, same, scores, stages

TARGET = Target(SCORES, CONSTANTS["run_id"], CONSTANTS)
COUNT = 1000


def in_parts(count: int, size: int) -> Iterator[pa.Table]:
    """Yield the expected results a part at a time, less what is the same in every row, in another order."""
    rows = expected(count).drop_columns(["run_id", "as_of"])
    for first in range(0, count, size):
        yield rows.slice(first, size).select(list(reversed(rows.column_names)))


def committed(run: Run, count: int, size: int) -> Commit:
    return commit_parts(run.lake, run.settings, TARGET, in_parts(count, size))


def test_few_rows_through_the_driver_and_many_through_files_are_the_same_commit(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("hand_off.small_mb=1")
    small = committed(run, COUNT, 130)
    assert same(scores(run), expected(COUNT))
    # So that these rows are many, and a file holds a part or two.
    monkeypatch.setattr(parts_module, "_FILE_BYTES", 5_000)
    many = run.settings.model_copy(
        update={"hand_off": run.settings.hand_off.model_copy(update={"small_mb": 0.01})}
    )
    again = commit_parts(run.lake, many, TARGET, in_parts(COUNT, 130))
    assert (small.changed, again.changed) == (True, False)
    assert (again.rows, again.fingerprint) == (small.rows, small.fingerprint)
    fewer = commit_parts(run.lake, many, TARGET, in_parts(COUNT - 1, 130))
    assert fewer.changed
    assert same(scores(run), expected(COUNT - 1))
    assert stages(run) == []


def test_parts_that_are_made_again_are_the_same_commit_without_spark(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    small = committed(run, COUNT, 130)
    fewer = committed(run, COUNT - 1, 130)
    monkeypatch.setattr(type(run.lake), "frame", lambda *_: pytest.fail("by Spark"))
    again = commit_parts(run.lake, run.settings, TARGET, lambda: in_parts(COUNT, 130))
    assert (again.changed, again.rows, again.fingerprint) == (True, small.rows, small.fingerprint)
    assert again.version == fewer.version + 1
    assert not commit_parts(run.lake, run.settings, TARGET, lambda: in_parts(COUNT, 7)).changed
    monkeypatch.undo()
    assert same(scores(run), expected(COUNT))
    assert stages(run) == []


@pytest.mark.nightly
def test_no_parts_leave_no_rows(make_run: Callable[..., Run]) -> None:
    run = make_run()
    committed(run, 10, 3)
    assert committed(run, 0, 3).rows == 0
    assert scores(run).num_rows == 0


def test_a_part_that_fails_leaves_the_table_as_it_was_and_no_stage(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    committed(run, 10, 3)
    monkeypatch.setattr(parts_module, "_FILE_BYTES", 1)
    many = run.settings.model_copy(
        update={"hand_off": run.settings.hand_off.model_copy(update={"small_mb": 0})}
    )

    def broken() -> Iterator[pa.Table]:
        yield from in_parts(20, 5)
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        commit_parts(run.lake, many, TARGET, broken())
    assert same(scores(run), expected(10))
    assert stages(run) == []
