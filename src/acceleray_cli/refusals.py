"""Lines that the front end prints instead of a traceback."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from acceleray_cli.addresses import without_credentials

BAD_INPUT = 2
# Lines in which Git gives advice, or says once more that it failed; ssh and the server say why.
ADVICE = re.compile(
    r"hint:|warning:|Cloning into|Please make sure you have|and the repository exists|remote:\s*$|\s*$"
)
WHAT_TO_DO = {
    errno.ENOSPC: "free space there, or set TMPDIR to a folder with space",
    errno.EDQUOT: "free space there, or set TMPDIR to a folder with space",
    errno.EACCES: "choose a folder that you can write",
    errno.EPERM: "choose a folder that you can write",
    errno.EROFS: "choose a folder that you can write",
}
# What Python says where it can write no file for a moment in any temporary folder.
NO_FOLDER = "No usable temporary directory found"
AGAIN = "fatal: Could not read from remote repository."


class RefusedError(Exception):
    """Nothing was changed, for the reasons in `lines`, one plain line each."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(flat(line) for line in lines)


def flat(text: object) -> str:
    """Return the text in one line, whatever breaks it had, and without the password of an address in it."""
    return without_credentials(" ".join(str(text).split()))


def reason(said: str) -> str:
    """Return why Git failed, in one line of what it said: its last two lines that are no advice."""
    lines = [line.strip() for line in said.splitlines() if not ADVICE.match(line)]
    return flat("; ".join((([line for line in lines if line != AGAIN]) or lines)[-2:]))


@contextmanager
def in_plain_words(doing: str) -> Iterator[None]:
    """Turn what Copier raises into a refusal of one line that begins with what was being done."""
    # Not above: a refusal of the command line need not wait for Copier.
    from copier.errors import CopierError
    from jinja2 import TemplateError
    from plumbum.commands.processes import CommandNotFound, ProcessExecutionError

    try:
        yield
    except ProcessExecutionError as error:
        raise RefusedError(f"{doing}: {reason(str(error.stderr)) or f'{error.argv[0]} failed'}") from error
    except CommandNotFound as error:
        raise RefusedError(f"{doing}: {error.program} is not installed.") from error
    except (CopierError, TemplateError, ValueError, TypeError, OSError) as error:
        # An interruption at the keyboard is also one of Copier's errors, and is none of ours.
        if isinstance(error, KeyboardInterrupt):
            raise
        said = failure(error) if isinstance(error, OSError) else error or type(error).__name__
        raise RefusedError(f"{doing}: {said}") from error


def failure(error: OSError) -> str:
    """Return what the operating system refused, for which file, and what can be done, in one line."""
    where = f" ({os.fsdecode(error.filename)})" if isinstance(error.filename, str | bytes) else ""
    advice = WHAT_TO_DO.get(error.errno or 0)
    if NO_FOLDER in str(error):
        return f"{NO_FOLDER}; set TMPDIR to a folder that you can write."
    return flat(f"{error.strerror or error}{where}{f'; {advice}' if advice else ''}.")
