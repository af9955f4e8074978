"""Parts that outlive a killed run: what counts as done, and what does not."""

import stat
from collections.abc import Callable

import pyarrow as pa
import pytest

from acceleray.engines.handoff.resume import Resumable
from acceleray.settings import Settings

ROWS = pa.table({"name": ["a", "b", "c"], "value": [1.5, None, 0.1 + 0.2]})


@pytest.fixture
def kept(settings: Callable[..., Settings]) -> Resumable:
    return Resumable(settings(), "work", "0123", ROWS.schema)


def test_a_part_is_done_once_it_is_whole_and_comes_back_to_the_bit(kept: Resumable) -> None:
    assert not kept.done(0)
    kept.keep(0, ROWS)
    assert kept.done(0)
    assert not kept.done(1)
    assert kept.rows(0).equals(ROWS)


def test_the_next_process_finds_the_parts_and_another_key_does_not(
    settings: Callable[..., Settings],
) -> None:
    one = settings()
    Resumable(one, "work", "0123", ROWS.schema).keep(4, ROWS)
    assert Resumable(one, "work", "0123", ROWS.schema).done(4)
    assert not Resumable(one, "work", "4567", ROWS.schema).done(4)


def test_a_part_without_its_note_was_killed_before_its_end(kept: Resumable) -> None:
    kept.keep(0, ROWS)
    (note,) = kept.folder.glob("_*.json")
    note.unlink()
    assert not kept.done(0)


@pytest.mark.parametrize("place", [0.3, 0.97])
def test_a_part_with_one_flipped_bit_is_made_again(kept: Resumable, place: float) -> None:
    kept.keep(0, ROWS)
    (file,) = kept.folder.glob("*.parquet")
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1
    file.write_bytes(bytes(content))
    assert not kept.done(0)
    kept.keep(0, ROWS)
    assert kept.done(0)


def test_a_part_of_other_columns_is_not_taken(settings: Callable[..., Settings]) -> None:
    one = settings()
    Resumable(one, "work", "0123", ROWS.schema).keep(0, ROWS)
    assert not Resumable(one, "work", "0123", pa.schema([("name", pa.string())])).done(0)


def test_only_this_user_can_read_the_parts_and_nothing_is_left_after_the_commit(kept: Resumable) -> None:
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    kept.keep(0, ROWS)
    kept.forget()
    assert not kept.folder.exists()


def test_parts_stay_until_the_last_machine_that_needs_them_is_done(
    settings: Callable[..., Settings],
) -> None:
    one, other = (
        Resumable(settings(f"paths.machine={name}"), "work", "0123", ROWS.schema) for name in ("one", "two")
    )
    assert one.folder == other.folder
    one.keep(0, ROWS)
    one.forget()
    assert other.rows(0).equals(ROWS)
    other.keep(1, ROWS)
    other.forget()
    assert not other.folder.exists()
