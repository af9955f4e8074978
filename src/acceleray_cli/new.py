"""Generate a project: whole, or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copier import Settings, run_copy
from copier.errors import CopierWarning

from acceleray_cli import copies, git, git_settings, quick, scratch
from acceleray_cli.project import RECORD
from acceleray_cli.refusals import RefusedError, in_plain_words


def require_free(folder: Path) -> None:
    """Refuse a folder that holds anything besides a repository without files.

    Raises:
        RefusedError: files of somebody could be overwritten.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise RefusedError(f"{folder} exists and is not a folder; choose another name.")
    if folder.is_dir() and (present := sorted({entry.name for entry in folder.iterdir()} - {".git"})):
        if RECORD in present:
            hint = "it is already a project; look for an update with acceleray preview."
        elif git.top_of(folder):
            hint = f'acceleray adopt "{folder}" puts a project into it and overwrites no file.'
        else:
            hint = "choose another folder."
        more = f" and {len(present) - 1} more" if len(present) > 1 else ""
        raise RefusedError(f"{folder} is not empty: it contains {present[0]}{more}; {hint}")


def render(location: str, version: str | None, answers: Mapping[str, Any], folder: Path) -> Path:
    """Return a folder after rendering a version of the template into it.

    Raises:
        RefusedError: Copier could not.
    """
    with (
        in_plain_words("The template"),
        warnings.catch_warnings(),
        copies.reading(location),
        copies.linking(),
        quick.writing(),
        git_settings.configured(git_settings.READING),
    ):
        warnings.simplefilter("ignore", CopierWarning)
        run_copy(
            location,
            folder,
            data=dict(answers),
            vcs_ref=version,
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=Settings(),
        )
    return folder


def create(location: str, version: str | None, answers: Mapping[str, Any], folder: Path) -> int:
    """Generate the project and return its number of files.

    It grows in a hidden folder beside and is moved when complete: whatever stops it leaves no half of one.

    Raises:
        RefusedError: the folder is taken or cannot be written.
    """
    require_free(folder)
    folder = folder.absolute()
    parent = next(parent for parent in folder.parents if parent.is_dir())
    with in_plain_words(str(folder)), scratch.beside(parent) as hidden, copies.copying(hidden):
        grown = render(location, version, answers, hidden / "project")
        count = sum(len(names) for _, _, names in os.walk(grown))
        if folder.exists():
            for entry in sorted(grown.iterdir()):
                os.rename(entry, folder / entry.name)
        else:
            folder.parent.mkdir(parents=True, exist_ok=True)
            os.rename(grown, folder)
    return count
