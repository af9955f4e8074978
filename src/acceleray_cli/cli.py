"""The command line: what can be asked for, in words, and one plain line for whatever goes wrong."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import traceback
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

from acceleray_cli.addresses import without_credentials
from acceleray_cli.refusals import BAD_INPUT, RefusedError, failure, flat

STOPPED = 130
# As a shell says of a program that wrote to `head` after it had read enough.
OUTPUT_CLOSED = 141

NEW = """\
examples:
  acceleray new my-project                                  ask every question; each has a default
  acceleray new my-project --defaults                       ask nothing
  acceleray new my-project --data-file answers.yml          ask only questions missing in the file
  acceleray new "risk team/one" --defaults --set cloud=azure --set workloads=risk_stress_testing
"""
ADOPT = """\
examples:
  acceleray adopt my-repository --preview                   list additions and differences
  acceleray adopt my-repository --defaults                  apply, and ask nothing
  acceleray adopt . --data-file answers.yml

No file of the repository is overwritten: if it differs, the project's is NAME.acceleray.
Commit everything first.
"""
CHECK = """\
examples:
  acceleray check                                the project in this folder, and whether there is an update
  acceleray check my-project
  acceleray check --data-file answers.yml        answers for a new project
  acceleray check --json                         for programs: one document, also in case of errors

exit code: 0 up to date, 1 the engine is edited, 2 an answer or the project cannot be used,
3 the project has conflicts, 4 there is a newer release
"""
PREVIEW = """\
examples:
  acceleray preview                                                 list the changes of the newest release
  acceleray preview my-project --to 1.2.0
  acceleray preview --all                                           also list unchanged files
  acceleray preview --to current --set cloud=azure                  change an answer, keep the version
  acceleray preview --to current --set workloads+=risk_stress_testing
  acceleray preview --to current --set workloads-=risk_stress_testing

each line is a state and a file:
  unchanged    no change; listed with --all
  updated      not edited, and it changes
  merged       edited, and keeps the edits
  conflict     edited on lines that the template changes: both versions will be in the file
  edited and about to be deleted, or renamed: update refuses without --discard-edits
  edited in, added to, deleted from the engine; edited and now in the engine: likewise
  moved, adapted to names that moved: your files, if the engine gets its own folder
  added, deleted
"""
UPDATE = """\
examples:
  acceleray update                                                  to the newest release
  acceleray update my-project --to 1.2.0
  acceleray update --to current --set workloads+=risk_stress_testing
  acceleray update --discard-edits                                  remove edits that cannot stay

exit code: 0 done, 1 refused because edits would be lost, 2 cannot be done, 3 there are conflicts to resolve
"""


DOCTOR = """\
examples:
  acceleray doctor                               what is missing on this machine
  acceleray doctor --template git@git.example.com:risk/acceleray.git      and whether Git reaches a template

In a project, `python -m portfolio doctor` also checks its settings.
exit code: 0 nothing is missing, 1 something is
"""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line: the usage is a page, and --help shows it."""
        self.exit(BAD_INPUT, f"{flat(message)}; see {self.prog} --help\n")


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="acceleray",
        description="Generate projects from the template, and keep them up to date without losing edits.",
        epilog="acceleray COMMAND --help has examples.",
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, help: str, examples: str) -> ArgumentParser:
        return subparsers.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=examples,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    new = command("new", "generate a project in a new folder", NEW)
    new.add_argument("folder", metavar="FOLDER", type=Path, help="new, empty, or a repository without files")
    adopt = command("adopt", "put a project into a repository that has files, overwriting none", ADOPT)
    adopt.add_argument("folder", metavar="FOLDER", type=Path, help="a repository, or a folder in one")
    adopt.add_argument("--preview", action="store_true", help="list the changes without applying them")
    for parser_ in (new, adopt):
        parser_.add_argument(
            "--defaults", action="store_true", help="ask nothing; use defaults for missing answers"
        )
    check = command("check", "check answers and look for an update, without writing", CHECK)
    check.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", help="a project; default: this folder"
    )
    check.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    preview = command(
        "preview", "list the changes of an update, file by file, without applying them", PREVIEW
    )
    preview.add_argument(
        "--all",
        action="store_true",
        help="also list unchanged files",
    )
    update = command("update", "update a project, unless edits would be lost", UPDATE)
    update.add_argument(
        "--discard-edits",
        action="store_true",
        help="proceed although edits cannot stay; these files are kept below before-update/",
    )
    doctor = command("doctor", "check this machine before a project exists, without writing", DOCTOR)
    doctor.add_argument("--template", metavar="PATH_OR_URL", help="default: the source of this installation")
    for parser_ in (new, adopt, check, preview, update):
        parser_.add_argument(
            "--data-file", metavar="FILE", type=Path, help="answers in YAML, one `name: answer` per line"
        )
    for parser_ in (new, adopt, check):
        parser_.add_argument(
            "--template", metavar="PATH_OR_URL", help="default: the source of this installation"
        )
        parser_.add_argument(
            "--at", metavar="VERSION", help="a tag, branch or commit; default: the newest release"
        )
    for parser_ in (preview, update):
        parser_.add_argument(
            "folder", metavar="FOLDER", type=Path, nargs="?", default=Path(), help="default: this folder"
        )
        parser_.add_argument(
            "--to",
            metavar="VERSION",
            help="a release, or `current` to change only answers; default: the newest",
        )
    for parser_ in (new, adopt, preview, update):
        parser_.add_argument(
            "--set",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="one answer; += adds to and -= removes from a question with several",
        )
    return parser


@contextmanager
def _settings(command: str) -> Iterator[None]:
    """Let Git work under settings of this run; the doctor looks on where Git itself is what is missing."""
    from acceleray_cli import git_settings

    with ExitStack() as settings:
        try:
            settings.enter_context(git_settings.own())
        except RefusedError:
            if command != "doctor":
                raise
        yield


@contextmanager
def _without_collections() -> Iterator[None]:
    """Let Python look for no garbage in cycles: a command makes little of it, and ends in seconds."""
    before = gc.isenabled()
    gc.disable()
    # Nor at its end, when all memory goes anyway.
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        if before:
            gc.enable()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; the help of each command says what its codes mean."""
    # Names of customers and folders have letters that a console's own encoding may not have.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "check":
        if options.folder and options.data_file:
            parser.error("check either a folder or a file of answers")
        if options.json and options.data_file:
            parser.error("--json needs a project, not a file of answers")
        options.folder = options.folder or Path()
    try:
        with _without_collections():
            # Not above: Copier takes half a second to import, and help or a wrong option need not wait.
            from acceleray_cli import commands

            with _settings(options.command):
                code = int(getattr(commands, options.command)(options))
                sys.stdout.flush()
                return code
    except RefusedError as refusal:
        for line in refusal.lines:
            print(line, file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    except OSError as error:
        print(failure(error), file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED
    except Exception:
        # A fault of ours: where it happened helps us, and a password in it helps nobody.
        print(without_credentials(traceback.format_exc()), file=sys.stderr)
        print("acceleray failed unexpectedly; report it with the lines above.", file=sys.stderr)
        return BAD_INPUT
