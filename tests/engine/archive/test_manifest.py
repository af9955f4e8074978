"""An archive is known to be whole by its hashes, with our code or without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from acceleray.archive.manifest import FORMAT, SUMS, declared, seal, table_of, verified, write
from acceleray.errors import PortfolioError
from acceleray.runtime.inputs import file_digest
from acceleray.tables import ALL


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "a run"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "gold.things.parquet").write_bytes(b"rows")
    (folder / "report.html").write_text("page", encoding="utf-8")
    write(folder, {"run": {"run_id": "r"}})
    seal(folder)
    return folder


def refused(archive: Path) -> str:
    with pytest.raises(PortfolioError) as error:
        verified(archive)
    return str(error.value).replace(str(archive), "ARCHIVE")


def test_a_whole_archive_gives_its_manifest_and_the_hash_of_its_hashes(archive: Path) -> None:
    content, sealed = verified(archive)
    assert content == {"format": FORMAT, "run": {"run_id": "r"}}
    assert sealed == file_digest(archive / SUMS)


def test_sealing_again_changes_nothing(archive: Path) -> None:
    before = (archive / SUMS).read_bytes()
    seal(archive)
    assert (archive / SUMS).read_bytes() == before


def test_a_changed_file_is_named(archive: Path) -> None:
    (archive / "tables" / "gold.things.parquet").write_bytes(b"rowz")
    assert refused(archive) == (
        "The archive ARCHIVE is damaged: tables/gold.things.parquet has changed since it was archived; take "
        "another copy of the archive."
    )


def test_a_changed_manifest_is_named(archive: Path) -> None:
    text = (archive / "manifest.json").read_text(encoding="utf-8")
    (archive / "manifest.json").write_text(text.replace('"r"', '"s"'), encoding="utf-8")
    assert "manifest.json has changed since it was archived" in refused(archive)


def test_a_lost_and_an_added_file_are_named(archive: Path) -> None:
    (archive / "report.html").rename(archive / "other.html")
    assert "other.html was added, and 1 other file as well" in refused(archive)
    (archive / "other.html").unlink()
    assert "report.html is gone" in refused(archive)


def test_what_is_no_archive_and_what_newer_code_made_are_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(PortfolioError, match="is not an archive of a run"):
        verified(tmp_path)
    write(archive, {"format": FORMAT + 1})
    seal(archive)
    assert f"has format {FORMAT + 1}" in refused(archive)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_an_archive_can_be_checked_without_any_code_of_ours(archive: Path) -> None:
    def check() -> int:
        command = ["sha256sum", "-c", SUMS]
        return subprocess.run(command, cwd=archive, capture_output=True, check=False).returncode

    assert check() == 0
    (archive / "report.html").write_text("pages", encoding="utf-8")
    assert check() != 0


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.label)
def test_declarations_come_back_from_json_as_they_were(table: object) -> None:
    import json

    assert table_of(json.loads(json.dumps(declared(table)))) == table  # type: ignore[arg-type]
