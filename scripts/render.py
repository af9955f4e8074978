"""Render the template from an answers file into a folder, as a customer would receive it.

The source is a copy of the working tree without its history, so that the result depends on files alone:
no commit and no path of this machine is recorded, and uncommitted changes count.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import copier
import yaml
from copier import Settings
from copier.errors import CopierError

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("copier.yml", "includes", "template")
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", "__pycache__")
# What a project keeps when it is rendered again: its tables, its environment and caches.
KEPT = ("var", ".venv", *CACHES)


def copy_template(destination: Path) -> Path:
    """Return `destination` holding the template's files and nothing else of this repository."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, destination / name, ignore=shutil.ignore_patterns(*KEPT, "*.py[co]"))
        else:
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination / name)
    return destination


def render(template: Path, destination: Path, answers: dict[str, Any]) -> Path:
    """Return `destination` after copying the template into it with these answers and defaults for the rest.

    Raises:
        CopierError, ValueError: an answer was refused; nothing is written.
    """
    # Own settings of whoever runs this would change the defaults; only the answers may.
    own = Settings()
    copier.run_copy(
        str(template), destination, data=answers, defaults=True, overwrite=True, quiet=True, settings=own
    )
    return destination


def replace(destination: Path, answers: dict[str, Any]) -> None:
    """Make `destination` equal a fresh render, except for the state and the environment that it keeps.

    Raises:
        SystemExit: the folder holds something that is not a generated project.
    """
    present = {entry.name for entry in destination.iterdir()} if destination.is_dir() else set()
    if present - set(KEPT) and ".copier-answers.yml" not in present:
        raise SystemExit(f"{destination} is not a generated project; choose another folder.")
    with tempfile.TemporaryDirectory() as scratch:
        fresh = render(copy_template(Path(scratch, "template")), Path(scratch, "project"), answers)
        destination.mkdir(parents=True, exist_ok=True)
        for name in present - set(KEPT):
            entry = destination / name
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        shutil.copytree(fresh, destination, dirs_exist_ok=True)


def main() -> None:
    """Render the answers file named first into the folder named second."""
    if len(sys.argv) != 3:
        raise SystemExit("Usage: python scripts/render.py ANSWERS_FILE FOLDER")
    answers, destination = Path(sys.argv[1]), Path(sys.argv[2])
    if not answers.is_file():
        raise SystemExit(f"No answers file {answers}.")
    try:
        replace(destination, yaml.safe_load(answers.read_text(encoding="utf-8")) or {})
    except (CopierError, ValueError) as error:
        raise SystemExit(f"{answers} was refused: {error}") from None


if __name__ == "__main__":
    main()
