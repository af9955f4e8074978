"""A temporary repository with the bytes of a project's folder, about which no setting decides there."""

from __future__ import annotations

import codecs
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from plumbum import local

from acceleray_cli import engine, git, git_settings
from acceleray_cli.files import File, Snapshot, read
from acceleray_cli.moved import ENGINE
from acceleray_cli.project import RECORD, Project
from acceleray_cli.refusals import RefusedError

# Stronger than any .gitattributes: no driver, line ends or encoding, and binary is what Git finds to be it.
NEUTRAL = (
    "* -text !eol -filter -ident !working-tree-encoding !diff !merge !whitespace !conflict-marker-size\n"
)
# Whether the modes of files on disk count, and whether the disk has links.
LOCAL = ("core.fileMode", "core.symlinks")
SPECIAL = re.compile(r"([\\*?\[\]!# ])")
# Copier reads and feeds differences as text in the encoding of file names, and drops bytes that are none.
CODEC = "acceleray-bytes"
ENCODING = "custom_encoding"
NOT_HERE = (
    "{} is in the repository and not in the folder, as in a sparse checkout; run git sparse-checkout disable."
)


def cloned(project: Project, scratch: Path, given: Snapshot) -> tuple[Project, set[str], Snapshot]:
    """Return a copy of what Git holds of a project, in a repository without history, and names of files.

    The copy is without engine/, where nothing is merged; the files of that folder come third. The named
    files have only line breaks of Windows, unlike the template's, and those of Unix in the copy. All other
    bytes are those of the folder, whatever attributes, filters and settings made of them.

    Args:
        project: whose folder is copied.
        scratch: a temporary folder.
        given: what the recorded version of the template gave.

    Raises:
        RefusedError: a file that Git holds is not in the folder.
    """
    clone = scratch / "clone"
    git.read(scratch, "init", "--quiet", f"--template={neutral(scratch)}", "--", str(clone))
    wanted = dict(_held(project.folder))
    for setting in LOCAL:
        if value := git.run(project.folder, "config", setting).stdout.decode().strip():
            git.read(clone, "config", setting, value)
    folder = clone.resolve() / project.folder.relative_to(project.top().resolve())
    folder.mkdir(parents=True, exist_ok=True)
    windows = set()
    aside: Snapshot = {}
    for name, mode in wanted.items():
        file, breaks = in_unix(whole := _bytes(project.folder / name, name))
        if breaks and b"\r\n" not in given.get(name, file).content:
            windows.add(name)
        else:
            file = whole
        file = File(file.content, mode == "100755", file.link)
        if f"{name}/".startswith(ENGINE):
            aside[name] = file
        else:
            file.write(folder / name)
    with git_settings.configured(git_settings.MERGING):
        git.read(folder, "add", "--all", "--force", "--", ".")
        # Where modes on disk do not count, those of the project's index do.
        if executable := [name for name, mode in wanted.items() if mode == "100755" and name not in aside]:
            git.fed(folder, ("update-index", "-z", "--chmod=+x", "--stdin"), "\0".join(executable))
        git.read(clone, *engine.COMMIT, "--allow-empty")
    return Project(folder, project.answers, project.location, project.version), windows, aside


def neutral(scratch: Path) -> Path:
    """Return a folder of which Git makes repositories in which no attribute counts."""
    made = scratch / "neutral"
    (made / "info").mkdir(parents=True, exist_ok=True)
    (made / "info/attributes").write_text(NEUTRAL, encoding="ascii")
    return made


@contextmanager
def bytes_kept(scratch: Path) -> Iterator[None]:
    """Let Copier make such repositories, and read and feed bytes that are no text as they are."""
    codecs.register(_codec)
    # Of the class, because the object itself has no such attribute of its own.
    machine, encoding = type(local), local.custom_encoding
    setattr(machine, ENCODING, CODEC)
    try:
        with git_settings.templates(neutral(scratch)):
            yield
    finally:
        setattr(machine, ENCODING, encoding)
        codecs.unregister(_codec)


def bring_ignored(project: Path, there: Project, generated: Iterable[str]) -> set[str]:
    """Copy generated files that the project has and its repository has not, and return their names."""
    brought = set()
    for name in generated:
        if name.startswith(ENGINE) or not (project / name).is_file() or (there.folder / name).exists():
            continue
        (there.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, there.folder / name)
        brought.add(name)
    top = there.top()
    prefix = there.folder.relative_to(top.resolve())
    escaped = (SPECIAL.sub(r"\\\1", (prefix / name).as_posix()) for name in sorted(brought))
    with (top / ".git/info/exclude").open("a", encoding="utf-8", errors="surrogateescape") as file:
        # By name: the rules that ignore them may be those of a user, or of a folder around the project.
        file.writelines(f"/{name}\n" for name in escaped)
    return brought


def forget(there: Project, recorded: str, location: str) -> None:
    """Take the password out of the record of a temporary clone, from which Copier takes the address."""
    text = there.record.read_text(encoding="utf-8")
    there.record.write_text(text.replace(recorded, location), encoding="utf-8")
    git.read(there.folder, "add", "--force", "--", RECORD)
    git.read(there.folder, *engine.COMMIT)


def in_unix(file: File) -> tuple[File, bool]:
    """Return a file with the line breaks of Unix if it has only those of Windows, and whether it has."""
    content = file.content.replace(b"\r\n", b"\n")
    unlike = file.link or b"\0" in content or b"\r\n" in content
    if unlike or content == file.content or _in_windows(content) != file.content:
        return file, False
    return File(content, file.executable), True


def in_windows(file: File) -> File:
    """Return a file with the line breaks of Windows."""
    return File(_in_windows(file.content.replace(b"\r\n", b"\n")), file.executable, file.link)


def _in_windows(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def _held(folder: Path) -> list[tuple[str, str]]:
    """Return name and mode of each file that the repository holds below a folder, without submodules."""
    entries = [entry.split("\t", 1) for entry in git.names(folder, "ls-files", "-z", "--stage")]
    found = [(name, about.split(" ", 1)[0]) for about, name in entries]
    return [(name, mode) for name, mode in found if mode != "160000" and _counts(name)]


def _counts(name: str) -> bool:
    """Return whether a merge looks at a name: Copier reads only UTF-8, and no template has another."""
    try:
        return name.startswith(ENGINE) or bool(name.encode())
    except UnicodeEncodeError:
        return False


def _bytes(path: Path, name: str) -> File:
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RefusedError(NOT_HERE.format(name)) from error


def _codec(name: str) -> codecs.CodecInfo | None:
    if name != CODEC.replace("-", "_") and name != CODEC:
        return None
    utf8 = codecs.lookup("utf-8")
    return codecs.CodecInfo(
        name=CODEC,
        encode=lambda text, errors="strict": utf8.encode(text, "surrogateescape"),
        decode=lambda given, errors="strict": utf8.decode(given, "surrogateescape"),
    )
