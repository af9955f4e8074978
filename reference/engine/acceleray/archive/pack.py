"""The evidence pack: one zip file for auditors, with a run and the way to repeat it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceleray.archive.manifest import MANIFEST, SUMS
from acceleray.errors import PortfolioError
from acceleray.whole_files import made_whole

# The same files give the same bytes: no time of day, no compression that a library may change.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_VERSIONS = ("engine_version", "contract_version", "python", "machine", "system", "processor", "libraries")


def write_pack(archive: Path, manifest: dict[str, Any], sealed: str, target: Path) -> Path:
    """Write the evidence pack of an archive that was checked, whole or not at all, and return its path.

    Raises:
        PortfolioError: the file cannot be written.
    """
    try:
        with made_whole(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as pack:
            for name, content in sorted(_files(archive, manifest, sealed)):
                pack.writestr(zipfile.ZipInfo(name, _LONG_AGO), content)
    except OSError as error:
        raise PortfolioError(f"{target} cannot be written: {error.strerror}.") from None
    return target


def _files(archive: Path, manifest: dict[str, Any], sealed: str) -> Iterator[tuple[str, bytes]]:
    run = manifest["run"]
    yield "README.txt", _read_me(manifest, sealed).encode()
    yield "settings.json", _json(manifest["numbers"])
    yield "versions.json", _json({name: manifest[name] for name in _VERSIONS} | {"code": run["code_version"]})
    for name in (MANIFEST, SUMS, *manifest["documents"]):
        yield name, (archive / name).read_bytes()
    for lock in sorted((archive / "project").rglob("requirements.lock")):
        yield f"locks/{lock.relative_to(archive / 'project').as_posix()}", lock.read_bytes()


def _read_me(manifest: dict[str, Any], sealed: str) -> str:
    run = manifest["run"]
    kept = [entry for entry in manifest["tables"] if entry["role"] == "wrote"]
    pages = [name for name in manifest["documents"] if name.endswith(".html")]
    documents = [name for name in pages if "/model-document-" in name]
    report = next((name for name in pages if name not in documents), "none was written")
    return "\n".join(
        [
            f"Run {run['run_id']}: {run['workload']}, as of {run['as_of']}",
            "",
            f"  Report          {report}",
            *(f"  Model document  {name}" for name in documents),
            f"  Settings        settings.json, with seed {run['seed']}",
            f"  Versions        versions.json, locks/; engine {manifest['engine_version']}",
            f"  Code            {run['code_version']}",
            f"  Tables          {len(kept)} written, {sum(entry['rows'] for entry in kept)} rows: {MANIFEST}",
            f"  Hashes          {SUMS}: every file of the archive",
            f"  Seal            {sealed} (SHA-256 of {SUMS})",
            "",
            "To check the archive, in its folder:   sha256sum -c SHA256SUMS",
            f"To reproduce the run and compare:      portfolio reproduce {run['run_id']} --from ARCHIVE",
            "",
        ]
    )


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
