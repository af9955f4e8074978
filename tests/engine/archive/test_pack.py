"""The evidence pack: one file, with the same bytes whenever it is made."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from acceleray.archive.manifest import seal, verified, write
from acceleray.archive.pack import write_pack
from acceleray.errors import PortfolioError

MANIFEST = {
    "run": {
        "run_id": "0123456789abcdef",
        "workload": "risk_stress_testing",
        "as_of": "2022-12-28",
        "seed": 7,
        "code_version": "a-b",
    },
    "numbers": {"seed": 7},
    "tables": [{"role": "wrote", "rows": 3}, {"role": "history", "rows": 5}],
    "documents": ["report/model-document-risk.html", "report/page.html", "report/page/one.html"],
    "engine_version": "0.3.0",
    "contract_version": 2,
    "python": "3.11",
    "machine": "x86_64",
    "system": "Linux",
    "processor": "Some",
    "libraries": {"numpy": "2.1"},
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "report" / "page").mkdir(parents=True)
    (folder / "project" / "engine").mkdir(parents=True)
    (folder / "project" / "engine" / "requirements.lock").write_text("numpy==2.1\n", encoding="utf-8")
    for name in MANIFEST["documents"]:  # type: ignore[attr-defined]
        (folder / name).write_text(f"<p>{name}", encoding="utf-8")
    write(folder, dict(MANIFEST))
    seal(folder)
    return folder


def test_a_pack_has_report_settings_versions_hashes_and_the_command(archive: Path, tmp_path: Path) -> None:
    content, sealed = verified(archive)
    with zipfile.ZipFile(write_pack(archive, content, sealed, tmp_path / "pack.zip")) as pack:
        assert pack.namelist() == [
            *("README.txt", "SHA256SUMS", "locks/engine/requirements.lock", "manifest.json"),
            *("report/model-document-risk.html", "report/page.html", "report/page/one.html"),
            *("settings.json", "versions.json"),
        ]
        text = pack.read("README.txt").decode()
    assert "portfolio reproduce 0123456789abcdef --from ARCHIVE" in text
    assert f"  Seal            {sealed} (SHA-256 of SHA256SUMS)" in text
    assert "  Tables          1 written, 3 rows" in text
    assert "  Report          report/page.html" in text
    assert "  Model document  report/model-document-risk.html" in text


def test_a_pack_made_later_has_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    content, sealed = verified(archive)
    first = write_pack(archive, content, sealed, tmp_path / "one.zip").read_bytes()
    for path in archive.rglob("*"):
        os.utime(path, (1, 1))
    assert write_pack(archive, content, sealed, tmp_path / "two.zip").read_bytes() == first


def test_a_pack_that_cannot_be_written_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    content, sealed = verified(archive)
    (archive / "report" / "page.html").unlink()
    with pytest.raises(PortfolioError, match="cannot be written"):
        write_pack(archive, content, sealed, tmp_path / "pack.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
