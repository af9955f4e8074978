"""How the command ends: one plain line for whatever goes wrong, an exit code, and nothing left running."""

from __future__ import annotations

import errno
import logging
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from acceleray.cli.text import OutputClosedError
from acceleray.engines.processes.signals import first_line, text_of
from acceleray.errors import PortfolioError
from acceleray.runtime.project import NOTHING_ADDED, Project

_FULL = "No space left on device"
_LONGEST = 400


@dataclass
class Place:
    """The project a command is about, and where a log file may go, known as soon as the settings are read."""

    project: Project = NOTHING_ADDED
    state_dir: Path | None = None


def guarded(action: Callable[[], int], place: Place) -> int:
    """Return the exit code of an action; what it raises becomes one line on standard error.

    0 done, 1 unexpected failure or nothing found, 2 bad input, 3 a limit is breached
    (`portfolio limits`), 130 Ctrl-C, 143 told to stop.
    """
    stop = _Stop()
    try:
        with stop.listening():
            code = action()
        # The parser of the command line turns KeyboardInterrupt into this exit code, whatever caused it.
        return _stopped(stop.first or signal.SIGINT) if code == 128 + signal.SIGINT else code
    except OutputClosedError:
        # Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13
    except SystemExit as end:
        if isinstance(end.__context__, OSError):
            # The parser of the command line takes any broken pipe for a closed standard output.
            return _explained(end.__context__, place)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except typer.Exit as done:
        return int(done.exit_code)
    except BaseException as error:
        if stop.first is not None or isinstance(error, KeyboardInterrupt):
            return _stopped(stop.first or signal.SIGINT)
        return _explained(error, place)


def _stopped(number: int) -> int:
    _complain("Stopped; no table is half-written.")
    return 128 + number


def _explained(error: BaseException, place: Place) -> int:
    if _disk_is_full(error):
        folder = _existing(place.state_dir or Path(tempfile.gettempdir()))
        free = shutil.disk_usage(folder).free // 1_000_000
        _complain(
            f"The disk is full ({free} MB free at {folder}); no table was left half-written. "
            "Free some space and run again."
        )
        return 1
    if isinstance(error, PortfolioError):
        _complain(str(error))
        return error.exit_code
    if usage := getattr(error, "format_message", None):
        # The parser of the command line: an unknown option, a missing argument.
        _complain(" ".join(str(usage()).split()) + " See portfolio --help.")
        return 2
    line = first_line(error)[:_LONGEST]
    name = type(error).__name__
    what = line if name in ("SparkFailureError", line) else f"{name}: {line}"
    _complain(f"Unexpected failure: {what} (details in {_log(error, place)})")
    return 1


def _complain(line: str) -> None:
    print(f"Error: {line}", file=sys.stderr, flush=True)


def _disk_is_full(error: BaseException) -> bool:
    """Return whether an error, or one that it came from, says that no space is left."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if getattr(cause, "errno", None) == errno.ENOSPC or _FULL in text_of(cause):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _log(error: BaseException, place: Place) -> str:
    """Write the traceback to a new file and return its path, or say why there is none."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    text = [f"portfolio {' '.join(sys.argv[1:])}\nPython {sys.version}\n{platform.platform()}\n\n"]
    text += traceback.format_exception(error)
    for folder in (place.state_dir and place.state_dir / "logs", Path(tempfile.gettempdir())):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("".join(text), encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return str(folder / name)
    return "no file, because it could not be written"


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


class _Stop:
    """Turns the first signal into KeyboardInterrupt; later ones must not interrupt the cleaning up.

    Also for SIGTERM: of all exceptions, only after this one does py4j close the connection that a query
    still uses, and without that Spark cannot be told to stop.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self._again = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals while the block runs, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        # A command started with nohup ignores SIGHUP and shall go on doing so.
        numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self) for number in numbers}
        try:
            yield
        finally:
            # Once told to stop, a further signal must not cut short the process's last steps.
            if self.first is None:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.first is None:
            self.first = int(number)
            # Libraries log that they were interrupted, with a page of stack trace.
            logging.disable(logging.CRITICAL)
            raise KeyboardInterrupt
        self._again += 1
        if self._again == 1:
            os.write(2, b"Stopping; this takes a few seconds. Once more ends at once.\n")
            return
        _kill_children()
        os._exit(128 + number)


def _kill_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue
