"""What the front end says instead of a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from copier.errors import CopierError
from jinja2 import TemplateError
from plumbum.commands.processes import CommandNotFound, ProcessExecutionError

from acceleray_cli.addresses import without_credentials

BAD_INPUT = 2
# Lines in which Git gives advice, or says once more that it failed; ssh and the server say why.
ADVICE = re.compile(
    r"hint:|warning:|Cloning into|Please make sure you have|and the repository exists|remote:\s*$|\s*$"
)
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
        raise RefusedError(f"{doing}: {error or type(error).__name__}") from error
