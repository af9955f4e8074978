"""Folders without which engines fail with an error of Java or Python; each with one plain line."""

from __future__ import annotations

import tempfile

from acceleray.engines.processes import allowance
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# Elsewhere the place itself brings Java, jars and folders.
PROFILES = ("local", "cluster")


def unwritable_cache(settings: Settings) -> str | None:
    """Return why the cache is of no use, as one plain line; None if it is, found by writing."""
    try:
        folder = settings.cache_dir
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".writable-", dir=folder):
            pass
    except (OSError, RuntimeError) as error:
        # RuntimeError: there is no home folder at all for this user.
        why = error.strerror if isinstance(error, OSError) else error
        return f"{settings.paths.cache} cannot be written ({why}); set paths.cache to a folder that can"
    if allowance.runs_programs(folder):
        return None
    return (
        f"{settings.paths.cache} is mounted noexec, and Java and compiled code are started from the cache; "
        "set paths.cache to a folder on another file system"
    )


def unusable_temporary_folder() -> str | None:
    """Return why Java and Ray could load nothing from the temporary folder, as one line; None if they can."""
    folder = allowance.temporary_folder()
    if allowance.runs_programs(folder):
        return None
    return (
        f"{folder} is mounted noexec, and Java and Ray load libraries from the temporary folder; "
        "set TMPDIR to a folder with a short path on another file system"
    )


def refuse_unusable_folders(settings: Settings) -> None:
    """Refuse a machine on which engines that are started here would fail; called before they are.

    Raises:
        PortfolioError: the cache cannot be written, or nothing can be loaded from the temporary folder.
    """
    if settings.profile not in PROFILES:
        return
    for problem in (unwritable_cache(settings), unusable_temporary_folder()):
        if problem:
            raise PortfolioError(f"{problem}.")
