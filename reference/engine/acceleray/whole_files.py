"""Put a file in its place whole or not at all, also where a file system refuses to rename.

Volumes of Databricks are mounted through FUSE and may refuse a rename: with ENOSYS ("Function not implemented
(os error 38)" say users of delta-rs), ENOTSUP or EXDEV.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Volumes of Databricks take bytes in their order only: no zip file nor workbook can be made there.
IN_ORDER_ONLY = Path("/Volumes")
REFUSALS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV})
_CHUNK = 2**20


@contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """Yield where a file can be made, its bytes in any order, and put it in the place of `target` at the end.

    It is made next to `target`, or in a temporary folder if `target` is on a volume. After an error nothing
    of it is left.

    Raises:
        OSError: it cannot be put there.
    """
    elsewhere = target.absolute().is_relative_to(IN_ORDER_ONLY)
    folder = Path(tempfile.mkdtemp(prefix="pf-whole-")) if elsewhere else target.parent
    part = folder / f".{target.name}.{os.getpid()}.part"
    try:
        yield part
        put_in_place(part, target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
            if elsewhere:
                folder.rmdir()


def put_in_place(file: Path, target: Path) -> None:
    """Move a finished file to `target`, replacing what is there: renamed where possible, else copied.

    A copy is written, flushed, read back and compared before the first file is removed; one that differs is
    removed. Between two writers of the same target one whole file is left. Whoever reads while a copy is
    written may see a part of it: what must notice keeps size and checksum of what it expects.

    Raises:
        OSError: neither was possible, or the copy is not what was written; `file` is still there.
    """
    try:
        os.replace(file, target)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
    else:
        return
    _copied(file, target)
    with suppress(FileNotFoundError):
        file.unlink()


def _copied(file: Path, target: Path) -> None:
    try:
        with file.open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, _CHUNK)
            copy.flush()
            # Some of these file systems write when a file is closed, and refuse to do it before.
            with suppress(OSError):
                os.fsync(copy.fileno())
        if target.stat().st_size != file.stat().st_size or _digest(target) != _digest(file):
            raise OSError(errno.EIO, "the copy is not what was written", str(target))
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise


def _digest(path: Path) -> bytes:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
