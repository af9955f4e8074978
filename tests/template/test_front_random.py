"""Random edits under random Git configurations: an update loses no byte, and is the same everywhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plumbum import local

from acceleray_cli.cli import main
from conftest import contents
from toy import git

Edit = tuple[str, str, int, bytes]
# Names of files that the release gave, and two of a customer's own, one of which the next release takes.
NAMES = ("lines.txt", "README.md", "parts/alpha.txt", "gone.txt", "before.txt", "fresh.txt", "sub/ü b.txt")
KINDS = ("insert", "insert", "replace", "delete", "one crlf", "all crlf", "no end", "remove", "run", "empty")
TEXTS = (
    *(b"ours", b"ours  ", b"\tours\t ", b"", b"line 5", "größer".encode(), "größer".encode("latin-1")),
    *(b"a\x00b", b"with\x0cfeed", b"line 5\r", b"=======", b"$Id$", b"- a\\", b"\xef\xbb\xbfours"),
)
# What a user, a company or a tool sets, and what can stand in the attributes of a repository.
SETTINGS = {
    "apply.whitespace": ("fix", "error", "error-all"),
    "apply.ignoreWhitespace": ("change",),
    "core.autocrlf": ("true", "input"),
    "core.eol": ("crlf",),
    "core.whitespace": ("cr-at-eol,tab-in-indent",),
    "core.fileMode": ("false",),
    "core.quotePath": ("false",),
    "core.abbrev": ("4",),
    "core.bigFileThreshold": ("1",),
    "core.excludesFile": ("HERE/excludes",),
    "core.attributesFile": ("HERE/attributes",),
    "core.hooksPath": ("HERE/hooks",),
    "init.templateDir": ("HERE",),
    "color.ui": ("always",),
    "commit.gpgSign": ("true",),
    "diff.algorithm": ("patience",),
    "diff.external": ("false",),
    "diff.interHunkContext": ("9",),
    "diff.noprefix": ("true",),
    "diff.renames": ("copies",),
    "filter.big.clean": ("tr l L",),
    "filter.big.smudge": ("tr L l",),
    "grep.patternType": ("fixed",),
    "merge.conflictStyle": ("diff3", "zdiff3"),
    "merge.ours.driver": ("true",),
    "status.showUntrackedFiles": ("no",),
    "status.branch": ("true",),
    "transfer.hideRefs": ("refs/heads",),
}
ATTRIBUTES = (
    *("text=auto", "text eol=crlf", "-text", "binary", "-diff", "merge=union", "merge=ours", "ident"),
    *(
        "filter=big",
        "working-tree-encoding=ISO-8859-1",
        "whitespace=trailing-space",
        "conflict-marker-size=3",
    ),
)

edits = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), st.integers(0, 20), st.sampled_from(TEXTS)),
    min_size=1,
    max_size=6,
)
chosen = st.lists(
    st.sampled_from([(key, value) for key, values in SETTINGS.items() for value in values]).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.booleans())
    ),
    max_size=8,
)
patterns = st.lists(
    st.tuples(st.sampled_from(("*", "*.txt", "README.md")), st.sampled_from(ATTRIBUTES)), max_size=3
)


def edited(before: bytes | None, kind: str, place: int, text: bytes) -> bytes | None:
    """Return the content of a file after an edit, None if it is gone."""
    lines = (before or b"").split(b"\n")
    at = min(place, len(lines) - 1)
    if kind == "insert":
        return b"\n".join([*lines[:at], text, *lines[at:]])
    if kind == "replace":
        return b"\n".join([*lines[:at], text, *lines[at + 1 :]])
    if kind == "delete":
        return b"\n".join([*lines[:at], *lines[at + 1 :]])
    if kind == "one crlf":
        return b"\n".join([*lines[:at], lines[at] + b"\r", *lines[at + 1 :]])
    if kind == "all crlf":
        return b"\r\n".join(line.removesuffix(b"\r") for line in lines)
    if kind == "no end":
        return (before or b"").rstrip(b"\n")
    return {"remove": None, "empty": b""}.get(kind, before)


def edit(project: Path, found: Sequence[Edit]) -> None:
    for name, kind, place, text in found:
        path = project / name
        content = edited(path.read_bytes() if path.is_file() else None, kind, place, text)
        if content is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if kind == "run" else path.stat().st_mode)


def surroundings(folder: Path) -> None:
    """Write the files that settings name."""
    (folder / "excludes").write_text("*.txt\n*.md\n")
    (folder / "attributes").write_text("* -diff text eol=crlf\n")
    (folder / "hooks").mkdir()
    for hook in ("pre-commit", "commit-msg", "post-checkout"):
        (folder / "hooks" / hook).write_text("#!/bin/sh\nexit 1\n")
        (folder / "hooks" / hook).chmod(0o755)


def updated(project: Path) -> tuple[int, dict[str, bytes]]:
    """Return how an update ended, after it was told to go on where it refused, and the files."""
    before, said = contents_without_git(project), StringIO()
    with redirect_stderr(said):
        code = main(["update", str(project)])
        if code == 1:
            assert contents_without_git(project) == before
            code = main(["update", str(project), "--discard-edits"])
    assert code in (0, 3), said.getvalue()
    return code, contents_without_git(project)


def contents_without_git(project: Path) -> dict[str, bytes]:
    return {name: text for name, text in contents(project).items() if not name.startswith(".git/")}


def lost(release: dict[str, bytes], before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return what somebody added to a file, or deleted, and an update took back without showing it."""
    found = [f"{name} is back" for name in release.keys() - before.keys() if name in after]
    for name, content in before.items():
        places = [other for other in after if other == name or other.startswith(f"before-update/{name}")]
        there = Counter(line for place in places for line in lines_of(after[place]))
        added = Counter(lines_of(content)) - Counter(lines_of(release.get(name, b"")))
        if gone := added - there:
            found.append(f"{name}: {next(iter(gone))!r}")
        if in_windows(content) and b"\n" in after.get(name, b"") and not in_windows(after[name]):
            found.append(f"{name}: its line breaks of Windows")
    return found


def in_windows(content: bytes) -> bool:
    """Return whether every line ends as in Windows: an update keeps that, and merges the lines without it.

    A line that ends with two carriage returns keeps one: such a file is merged as it is.
    """
    plain = content.replace(b"\r\n", b"\n")
    whole = plain != content and plain.replace(b"\n", b"\r\n") == content
    return whole and b"\0" not in content and b"\r\n" not in plain


def lines_of(content: bytes) -> list[bytes]:
    return content.split(b"\r\n" if in_windows(content) else b"\n")


def tried(
    generated_once: Path,
    edits: Sequence[Edit],
    chosen: Sequence[tuple[str, str, bool]],
    patterns: Sequence[tuple[str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        surroundings(here)
        release = contents_without_git(generated_once)
        plain, other = (shutil.copytree(generated_once, here / each) for each in ("plain", "other"))
        config = here / "gitconfig"
        config.write_text("[user]\n\tname = A Customer\n\temail = a@example.com\n")
        with (
            local.env(GIT_CONFIG_GLOBAL=str(config), GIT_CONFIG_NOSYSTEM="1"),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setenv("GIT_CONFIG_GLOBAL", str(config))
            patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
            edit(plain, edits)
            before = contents_without_git(plain)
            commit_all(plain)
            expected = updated(plain)
            edit(other, edits)
            (other / ".gitattributes").write_text("".join(f"{glob} {what}\n" for glob, what in patterns))
            for key, value, everywhere in chosen:
                file = config if everywhere else other / ".git/config"
                git(here, "config", "--file", str(file), key, value.replace("HERE", name))
            commit_all(other)
            code, after = updated(other)
        del after[".gitattributes"]
        assert lost(release, before, expected[1]) == []
        assert (code, after) == expected


def commit_all(project: Path) -> None:
    """Commit everything, whatever is ignored, in the way of a hook or converted."""
    git(project, "add", "--all", "--force")
    git(project, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "ours")


def searching(examples: int) -> Callable[..., Callable[..., None]]:
    return settings(
        max_examples=examples,
        derandomize=examples < 10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@searching(2)
@given(edits=edits, chosen=chosen, patterns=patterns)
def test_random_edits_outlive_an_update_under_any_configuration(
    generated_once: Path,
    edits: list[Edit],
    chosen: list[tuple[str, str, bool]],
    patterns: list[tuple[str, str]],
) -> None:
    tried(generated_once, edits, chosen, patterns)


@pytest.mark.nightly
@searching(int(os.environ.get("RANDOM_UPDATES", "300")))
@given(edits=edits, chosen=chosen, patterns=patterns)
def test_more_random_edits_outlive_an_update_under_any_configuration(
    generated_once: Path,
    edits: list[Edit],
    chosen: list[tuple[str, str, bool]],
    patterns: list[tuple[str, str]],
) -> None:
    tried(generated_once, edits, chosen, patterns)
