"""Files that change on the way: named in one line, healed once, never committed."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from acceleray.engines.handoff.files import (
    DataFile,
    Piece,
    StageDamagedError,
    check,
    check_pages,
    fragments,
    inspect,
    read_piece,
)
from acceleray.engines.handoff.manifest import Manifest, read_manifest
from acceleray.engines.handoff.work import Done
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.local import local_ray
from acceleray.runtime.run import Run
from engines import handing
from engines.handing import SCORES, Inline, expected, fill, same, scores, stages, transform

ROWS = pa.table({"number": list(range(5000)), "amount": [1.0 / (n + 1) for n in range(5000)]})
STAGED = ("hand_off.way=staged", "hand_off.rows_per_task=30")


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Callable[..., Run]]) -> tuple[Callable[..., Run], int]:
    make = new_project()
    return make, fill(make().lake, "one", 100)


@pytest.fixture
def file(tmp_path: Path) -> DataFile:
    path = tmp_path / "part-00003.parquet"
    pq.write_table(ROWS, path, row_group_size=2000, write_page_checksum=True)
    return inspect(path)[0]


def delete(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)


def flip(path: Path, place: int | None = None, bit: int = 3) -> None:
    """Turn one bit round; by default in the last data page, where only a checksum can notice."""
    content = bytearray(path.read_bytes())
    if place is None:
        last = pq.read_metadata(path).row_group(0).column(1)
        place = last.data_page_offset + last.total_compressed_size - 20
    content[place] ^= 1 << bit
    path.write_bytes(content)


def shorten(path: Path) -> None:
    """Make it a sound Parquet file with one row fewer."""
    rows = pq.read_table(path)
    pq.write_table(rows.slice(1), path, write_page_checksum=True)


DAMAGES = [delete, truncate, flip, shorten]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_in_one_line(file: DataFile, damage: Callable[[Path], None]) -> None:
    piece = Piece(file, (0, 1, 2))
    assert read_piece(piece, ROWS.schema, None) == ROWS
    check_pages(file)
    damage(Path(file.path))
    for read in (lambda: read_piece(piece, ROWS.schema, None), lambda: check_pages(file)):
        with pytest.raises(StageDamagedError, match=r"part-00003.parquet (is|has|cannot be)") as caught:
            read()
        assert "\n" not in str(caught.value)


def test_no_flipped_bit_changes_what_is_read(file: DataFile) -> None:
    path, choose = Path(file.path), random.Random(1)
    whole = path.read_bytes()
    for _ in range(400):
        flip(path, choose.randrange(len(whole)), choose.randrange(8))
        with suppress(StageDamagedError):
            assert read_piece(Piece(file, (0, 1, 2)), ROWS.schema, None) == ROWS
        path.write_bytes(whole)


def test_every_byte_of_a_footer_counts(file: DataFile) -> None:
    path = Path(file.path)
    whole = path.read_bytes()
    length = int.from_bytes(whole[-8:-4], "little") + 8
    for place in range(len(whole) - length, len(whole)):
        flip(path, place, place % 8)
        with pytest.raises(StageDamagedError):
            check(file)
        path.write_bytes(whole)


def test_fragments_hold_every_row_group_once_and_depend_on_rows_alone() -> None:
    files = [
        DataFile(f"f{n}", 1, groups, 0) for n, groups in enumerate([(10, 10, 10), (1,), (2,), (40,), ()])
    ]
    cut = fragments(files, 20)
    assert [[(piece.file.path, piece.groups) for piece in one] for one in cut] == [
        [("f0", (0, 1))],
        [("f0", (2,)), ("f1", (0,)), ("f2", (0,))],
        [("f3", (0,))],
    ]
    assert fragments([], 20) == ()


def test_a_manifest_comes_back_as_it_was_and_half_a_manifest_is_none(tmp_path: Path, file: DataFile) -> None:
    manifest = Manifest("silver.trades", 3, (("number", "int64"),), (file,))
    path = tmp_path / "manifest.json"
    manifest.write(path)
    assert read_manifest(path) == manifest
    assert manifest.rows == 5000
    truncate(path)
    with pytest.raises(StageDamagedError, match=r"manifest.json is not a manifest"):
        read_manifest(path)
    path.unlink()
    with pytest.raises(StageDamagedError, match=r"manifest.json is missing"):
        read_manifest(path)


class DamagesStage:
    """Damages a file of the stage before the tasks of the first `times` maps run."""

    def __init__(self, damage: Callable[[Path], None], times: int) -> None:
        self.damage, self.times, self.paths = damage, times, list[Path]()

    def __call__(self, tasks: Sequence[Any]) -> None:
        if len(self.paths) < self.times:
            self.paths.append(Path(tasks[1][1][0].file.path))
            self.damage(self.paths[-1])


class DamagesResult:
    """Damages the result of a task after the first `times` maps."""

    def __init__(self, damage: Callable[[Path], None], times: int) -> None:
        self.damage, self.times, self.paths = damage, times, list[Path]()

    def __call__(self, results: list[Any]) -> None:
        if len(self.paths) < self.times:
            self.paths.append(Path(results[1].file.path))
            self.damage(self.paths[-1])


def damaging(where: type[Any], damage: Callable[[Path], None], times: int) -> tuple[Inline, Any]:
    damages = where(damage, times)
    return (Inline(before=damages) if where is DamagesStage else Inline(after=damages)), damages


@pytest.mark.parametrize("where", [DamagesStage, DamagesResult])
@pytest.mark.parametrize(
    "damage", [flip, *(pytest.param(one, marks=pytest.mark.nightly) for one in DAMAGES if one is not flip)]
)
def test_damage_on_the_way_is_healed_once(project: Any, where: type[Any], damage: Any) -> None:
    make, version = project
    run, said = make(*STAGED), list[str]()
    fan_out, damages = damaging(where, damage, times=1)
    assert transform(run, fan_out, version, said=said).commit.changed
    assert same(scores(run), expected(100))
    assert fan_out.maps == 2
    assert len(said) == 3
    assert damages.paths[0].name in said[1]
    assert said[1].endswith(f"Repeating the hand-off of version {version}.")
    assert stages(run) == []
    clear(run)


@pytest.mark.parametrize("where", [DamagesStage, pytest.param(DamagesResult, marks=pytest.mark.nightly)])
def test_damage_twice_is_told_and_nothing_is_committed(project: Any, where: type[Any]) -> None:
    make, version = project
    run = make(*STAGED)
    before = run.lake.version(SCORES)
    fan_out, damages = damaging(where, flip, times=2)
    with pytest.raises(StageDamagedError, match=r"\.parquet ") as caught:
        transform(run, fan_out, version)
    assert damages.paths[1].name in str(caught.value)
    assert damages.paths[0].parent != damages.paths[1].parent
    assert run.lake.version(SCORES) == before
    assert stages(run) == []


@pytest.mark.nightly
@pytest.mark.ray
@pytest.mark.usefixtures("no_ray")
def test_damage_found_inside_a_ray_task_comes_out_as_itself(project: Any) -> None:
    make, version = project
    run, said = make(*STAGED, "ray.workers=1", "ray.object_store_mb=80"), list[str]()
    with sent_by_value(handing), local_ray(run.settings) as fan_out:
        damages = DamagesStage(delete, times=1)
        transform(run, Before(fan_out, damages), version, said=said)
    assert damages.paths[0].name + " is missing." in said[1]
    assert same(scores(run), expected(100))
    clear(run)


def test_a_task_that_was_not_given_all_rows_is_noticed(project: Any) -> None:
    make, version = project
    run = make(*STAGED)
    with pytest.raises(
        StageDamagedError, match=r"^silver.trades has 100 rows at version \d+; 99 came to Ray"
    ):
        transform(run, Inline(after=one_row_fewer), version)
    assert stages(run) == []


def test_a_damaged_file_of_the_table_itself_is_named_and_nothing_is_committed(
    make_run: Callable[..., Run],
) -> None:
    run, said = make_run("hand_off.way=direct", "hand_off.rows_per_task=30"), list[str]()
    version = fill(run.lake, "one", 100)
    fan_out, damages = damaging(DamagesStage, flip, times=1)
    # Once more is of no use here: Spark cannot read the file either.
    with pytest.raises(Exception, match=damages_name(run)):
        transform(run, fan_out, version, said=said)
    assert damages.paths[0].name in said[1]
    assert damages.paths[0].is_relative_to(run.settings.state_dir / "warehouse")
    assert scores(run).num_rows == 0


def one_row_fewer(done: list[Done]) -> None:
    done[0] = Done(0, done[0].rows_in - 1, file=done[0].file)


def damages_name(run: Run) -> str:
    return re.escape(run.settings.state_dir.as_posix())


class Before:
    """A fan-out that does something before each map."""

    def __init__(self, fan_out: FanOut, before: Callable[[Sequence[Any]], None]) -> None:
        self._fan_out, self._before = fan_out, before

    def map(self, function: Any, tasks: Sequence[Any], shared: Sequence[Any] = ()) -> Iterator[Any]:
        self._before(tasks)
        return self._fan_out.map(function, tasks, shared)


@contextmanager
def sent_by_value(module: Any) -> Iterator[None]:
    """Have Ray send what a test module defines, which its workers cannot import."""
    ray.cloudpickle.register_pickle_by_value(module)
    yield
    ray.cloudpickle.unregister_pickle_by_value(module)


def clear(run: Run) -> None:
    run.lake.commit(SCORES, SCORES.arrow_schema.empty_table(), handing.CONSTANTS["run_id"])
