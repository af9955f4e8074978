"""The configuration under which every Git command of a run works, so that no habit decides about bytes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from plumbum import local

from acceleray_cli.refusals import RefusedError, reason

# What system and user may decide: who they are, how a server is reached, what a file on disk looks like.
SECTIONS = ("user", "safe", "credential", "http", "url", "ssh", "protocol", "filter", "lfs")
CORE = (
    *("sshcommand", "askpass", "gitproxy", "excludesfile", "attributesfile"),
    *("autocrlf", "eol", "safecrlf", "filemode", "symlinks", "ignorecase", "longpaths"),
    *("precomposeunicode", "protectntfs", "protecthfs", "trustctime", "checkstat"),
)
# Stronger than the configuration of a repository as well.
ALWAYS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "apply.whitespace": "nowarn",
    "apply.ignoreWhitespace": "no",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "merge.conflictStyle": "merge",
    "status.showUntrackedFiles": "normal",
    "status.relativePaths": "true",
    "color.ui": "never",
}
# For what is read of a template: the bytes that it has.
READING = {"core.attributesFile": os.devnull, "core.autocrlf": "false", "core.eol": "lf"}
# For merges in a temporary clone: no rejected edit is hidden, and no file is left out of a comparison.
MERGING = {**READING, "core.excludesFile": os.devnull, "status.showUntrackedFiles": "all"}
# These point at another repository, as they do inside a hook, or change what a name or a difference is.
UNWANTED = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE"),
    *("GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_ATTR_SOURCE"),
    *("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
)


@contextmanager
def own() -> Iterator[None]:
    """Let Git, ours and Copier's, work under a configuration of this run.

    Raises:
        RefusedError: Git is not installed, or cannot read the configuration that is there.
    """
    with tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name:
        kept = Path(name, "config")
        kept.write_text(_kept(name), encoding="utf-8", errors="surrogateescape")
        # An empty folder of templates: no hooks and no configuration come along with a clone.
        given = {"GIT_CONFIG_GLOBAL": str(kept), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TEMPLATE_DIR": ""}
        # Whoever asks at the terminal here would be between two of our own questions, or in a job.
        given["GIT_TERMINAL_PROMPT"] = os.environ.get("GIT_TERMINAL_PROMPT") or "0"
        with environment(given, without=UNWANTED), configured(ALWAYS):
            yield


@contextmanager
def configured(settings: Mapping[str, str]) -> Iterator[None]:
    """Let Git work under settings that count more than those of any file; nothing is written to disk."""
    number = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    given = {"GIT_CONFIG_COUNT": str(number + len(settings))}
    for place, (key, value) in enumerate(settings.items(), start=number):
        given |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    with environment(given):
        yield


@contextmanager
def templates(folder: Path) -> Iterator[None]:
    """Let Git make new repositories like a folder."""
    with environment({"GIT_TEMPLATE_DIR": str(folder)}):
        yield


@contextmanager
def environment(given: Mapping[str, str], without: tuple[str, ...] = ()) -> Iterator[None]:
    """Change the environment of this process, and Copier's own copy of it."""
    before = {name: os.environ.get(name) for name in (*given, *without)}
    with local.env(**given):
        for name in without:
            os.environ.pop(name, None)
            if name in local.env:
                del local.env[name]
        os.environ.update(given)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _kept(outside: str) -> str:
    """Return what counts of the configuration of system and user, as the text of such a file."""
    command = ["git", "config", "--list", "--show-scope", "--includes", "-z"]
    outer = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    outer |= {"LC_ALL": "C", "GIT_CEILING_DIRECTORIES": str(Path(outside).parent)}
    try:
        ended = subprocess.run(command, cwd=outside, capture_output=True, env=outer)
    except FileNotFoundError as error:
        raise RefusedError("Git is not on the search path; install it.") from error
    if ended.returncode:
        said = ended.stderr.decode(errors="replace")
        what = "the variables GIT_CONFIG_*" if "GIT_CONFIG_" in said else "that file"
        raise RefusedError(f"Git cannot read its own settings: {reason(said)}; correct {what}.")
    fields = os.fsdecode(ended.stdout).split("\0")
    lines = []
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        key, has_value, value = entry.partition("\n")
        if scope not in ("system", "global") or not _counts(key):
            continue
        lines.append(_line(key, value if has_value else "true"))
        if key == "safe.directory" and value not in ("", "*") and not value.endswith((".git", "*")):
            # A clone asks for the repository in a folder; who trusts the folder trusts it too.
            lines.append(_line(key, f"{value.rstrip('/')}/.git"))
    return "".join(lines)


def _counts(key: str) -> bool:
    section, name = key.split(".", 1)[0], key.rpartition(".")[2]
    return section in SECTIONS or (section == "core" and name in CORE)


def _line(key: str, value: str) -> str:
    section, _, rest = key.partition(".")
    middle, _, name = rest.rpartition(".")
    part = f' "{_quoted(middle)}"' if middle else ""
    value = _quoted(value).replace("\n", "\\n").replace("\t", "\\t")
    return f'[{section}{part}]\n\t{name} = "{value}"\n'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
