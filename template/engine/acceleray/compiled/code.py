"""Machine code found in a folder, or made and kept there: by one process, while others wait for it."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from acceleray.compiled.build import digest, linked, object_code
from acceleray.compiled.program import Program

# Ten times what compiling takes; whoever has waited so long compiles for itself.
_PATIENCE_S = 120.0
_POINTERS = dict.fromkeys(("float64*", "int64*", "int32*"), ctypes.c_void_p)
_KINDS = {**_POINTERS, "int64": ctypes.c_int64}


class CannotCompileError(Exception):
    """Why machine code cannot be made or kept here, in a few words."""


def load(program: Program, folder: Path, kept: bool = False) -> Callable[..., int]:
    """Return the entry of a program as a function: arrays are given as addresses, `array.ctypes.data`.

    It is taken from `folder` if it is there and undamaged, or compiled and kept there: about ten seconds,
    once for each version of source, compiler and processor. One process compiles, others wait. A process
    loads it, or finds that it cannot, once.

    Args:
        program: what is wanted.
        folder: where machine code is kept; it is made, and `~` is the home of whoever calls.
        kept: whether it must be kept. If not, a folder that cannot be written costs each process its own
            compilation.

    Raises:
        CannotCompileError: numba is missing or fails, or the folder cannot be written and must be.
    """
    found = _load(program, folder, kept)
    if isinstance(found, CannotCompileError):
        raise found
    return found


@cache
def _load(program: Program, folder: Path, kept: bool) -> Callable[..., int] | CannotCompileError:
    try:
        path = folder.expanduser() / f"{program.name}-{digest(program)}.o"
        try:
            code = _kept(path) or _made(program, path)
        except OSError as error:
            if kept:
                return CannotCompileError(f"{path.parent} cannot be written ({error.strerror})")
            code = object_code(program)
        engine, address = linked(code)
    except ImportError as error:
        return CannotCompileError(f"{error.name or 'numba'} is not installed")
    except Exception as error:  # numba and LLVM raise of all kinds
        first = (str(error).strip().splitlines() or [""])[0]
        return CannotCompileError(f"{program.name} cannot be compiled ({type(error).__name__}: {first})")
    entry = ctypes.CFUNCTYPE(ctypes.c_int64, *(_KINDS[argument] for argument in program.arguments))(address)
    entry.engine = engine  # type: ignore[attr-defined]
    return entry


def _made(program: Program, path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock(path.with_suffix(".lock")):
        code = _kept(path)  # by whoever held the lock
        if code is None:
            # Refused before ten seconds are spent, not after.
            beside = path.with_suffix(f".{secrets.token_hex(4)}")
            try:
                beside.touch()
                code = object_code(program)
                beside.write_bytes(hashlib.sha256(code).hexdigest().encode() + b"\n" + code)
                os.replace(beside, path)
            finally:
                with contextlib.suppress(OSError):
                    beside.unlink(missing_ok=True)
    return code


def _kept(path: Path) -> bytes | None:
    """Return the code in a file; None where there is none, or not what was written."""
    try:
        digest, _, code = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return code if hashlib.sha256(code).hexdigest().encode() == digest else None


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=_PATIENCE_S)
    # Whoever cannot lock compiles too: the file is replaced as a whole, and is the same whoever wrote it.
    with contextlib.suppress(Timeout, NotImplementedError, OSError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
