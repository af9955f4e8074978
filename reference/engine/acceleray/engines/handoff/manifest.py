"""The manifest of a stage: which files belong to it, written last, so that without it there is no stage."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from acceleray.engines.handoff.files import DataFile, StageDamagedError
from acceleray.whole_files import put_in_place


@dataclass(frozen=True)
class Manifest:
    """Files with bytes and rows, of which table and version, and the columns with their types."""

    table: str
    version: int
    columns: tuple[tuple[str, str], ...]
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """Return the rows of all files."""
        return sum(file.rows for file in self.files)

    def write(self, path: Path) -> None:
        """Write the manifest as JSON: it is there whole, or not at all."""
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        put_in_place(unfinished, path)


def read_manifest(path: Path) -> Manifest:
    """Return a manifest from its file.

    Raises:
        StageDamagedError: it is missing or is no manifest.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(DataFile(**{**one, "group_rows": tuple(one["group_rows"])}) for one in content["files"])
        columns = tuple((name, kind) for name, kind in content["columns"])
        return Manifest(content["table"], content["version"], columns, files)
    except FileNotFoundError:
        raise StageDamagedError(f"{path} is missing.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageDamagedError(f"{path} is not a manifest: {error}") from error
