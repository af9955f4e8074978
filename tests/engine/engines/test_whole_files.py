"""Files come to their place whole or not at all, where a rename is refused too."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from acceleray import whole_files
from acceleray.engines.handoff.files import check_pages, write_part
from acceleray.report.rendering import save
from acceleray.whole_files import put_in_place
from engines.living import PATIENCE_S

REFUSED = [errno.ENOSYS, errno.ENOTSUP, errno.EXDEV]


def refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def replace(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "rename", replace)


@pytest.mark.parametrize("number", REFUSED, ids=errno.errorcode.get)
def test_where_a_rename_is_refused_the_file_is_copied_and_removed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, number)
    file, target = tmp_path / "a", tmp_path / "b"
    file.write_bytes(os.urandom(3 * 2**20))
    expected = file.read_bytes()
    target.write_text("older and longer than nothing")
    put_in_place(file, target)
    assert target.read_bytes() == expected
    assert not file.exists()


def test_any_other_error_is_raised_and_leaves_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, errno.EACCES)
    file, target = tmp_path / "a", tmp_path / "b"
    file.write_text("new")
    target.write_text("old")
    with pytest.raises(PermissionError):
        put_in_place(file, target)
    assert (file.read_text(), target.read_text()) == ("new", "old")


def test_a_copy_that_is_not_what_was_written_is_removed_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, errno.ENOSYS)

    def torn(source: object, copy: object, chunk: int) -> None:
        copy.write(b"nev")  # type: ignore[attr-defined]

    monkeypatch.setattr(whole_files.shutil, "copyfileobj", torn)
    file, target = tmp_path / "a", tmp_path / "b"
    file.write_text("new")
    with pytest.raises(OSError, match="not what was written"):
        put_in_place(file, target)
    assert file.read_text() == "new"
    assert not target.exists()


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder of a file system, mounted through FUSE, that refuses to rename."""
    if not (Path("/dev/fuse").exists() and os.geteuid() == 0):
        pytest.skip("to mount through FUSE takes /dev/fuse and root")
    folder = tmp_path_factory.mktemp("volume")
    program = str(Path(__file__).with_name("fuse_without_rename.py"))
    command = [sys.executable, program, str(folder), str(errno.ENOSYS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "mounted\n":
            process.wait()
            pytest.skip("this system does not let tests mount")
        yield folder
        ctypes.CDLL(None).umount2(os.fsencode(folder), 2)
        process.wait(timeout=PATIENCE_S)


def test_a_volume_that_refuses_renames_takes_parts_and_reports(volume: Path) -> None:
    (volume / "x").write_text("x")
    with pytest.raises(OSError, match="not implemented"):
        os.replace(volume / "x", volume / "y")
    put_in_place(volume / "x", volume / "y")
    part = write_part(volume, 3, pa.table({"a": list(range(10_000))}))
    check_pages(part)
    assert part.rows == 10_000
    (volume / "reports").mkdir()
    for text in ("<p>first, and longer</p>", "<p>second</p>"):
        assert save(text, volume / "reports" / "r.html").read_text() == text
    assert sorted(os.listdir(volume)) == ["part-00003.parquet", "reports", "y"]
    assert os.listdir(volume / "reports") == ["r.html"]


def test_a_file_is_made_next_to_its_place(tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    with whole_files.made_whole(target) as part:
        assert part.parent == tmp_path
        part.write_bytes(b"all")
        assert not target.exists()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"pack.zip": b"all"}


def test_a_volume_gets_the_finished_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = tmp_path / "Volumes"
    (volumes / "main").mkdir(parents=True)
    monkeypatch.setattr(whole_files, "IN_ORDER_ONLY", volumes)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    target = volumes / "main" / "report.xlsx"
    with whole_files.made_whole(target) as part:
        assert not part.is_relative_to(volumes)
        part.write_bytes(b"all")
        assert not list(target.parent.iterdir())
    assert target.read_bytes() == b"all"
    with pytest.raises(TypeError), whole_files.made_whole(target) as part:
        part.write_bytes("text")  # type: ignore[arg-type]
    assert target.read_bytes() == b"all"
    assert [path.name for path in tmp_path.iterdir()] == ["Volumes"]
