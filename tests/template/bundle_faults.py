"""Plant faults in a rendered project, and look for them among the problems of its bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

import bundle

# Files and folders of a project that the checks of a bundle read.
_READ = (
    *("databricks.yml", ".copier-answers.yml", "pyproject.toml", "engine/pyproject.toml", "engine/libraries"),
    *(".github", "conf", "libraries", "resources", "notebooks"),
)


def copied_bundle(source: Path, project: Path) -> Path:
    """Return a new folder with the parts of a project that the checks of its bundle read."""
    (project / "engine").mkdir(parents=True)
    for name in _READ:
        (shutil.copytree if (source / name).is_dir() else shutil.copy2)(source / name, project / name)
    return project


def planted(path: Path, old: str, new: str) -> int:
    """Put a fault into a file and return its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def line_that_begins(path: Path, begins: str) -> int:
    """Return the number of the first line of a file that begins with some text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, text in enumerate(lines, start=1) if text.startswith(begins))


def assert_found(project: Path, file: str, line: int, fault: str, around: int = 0) -> None:
    """Require a problem of the bundle in a line of a file, or up to `around` from it, that names a fault."""
    places = tuple(f"{file}:{at}:" for at in range(line - around, line + around + 1))
    found = bundle.problems(project)
    assert [entry for entry in found if entry.startswith(places) and fault in entry], found
