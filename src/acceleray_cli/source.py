"""Where the template is, which versions it has, and what it asks in each."""

from __future__ import annotations

import importlib.metadata
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.version import InvalidVersion, Version

from acceleray_cli import git, reach
from acceleray_cli.addresses import whole_without_credentials
from acceleray_cli.answers import read_template
from acceleray_cli.refusals import RefusedError

# What the questions are made of; the rest of the template is not needed to judge answers.
QUESTIONS = ("copier.yml", "includes")
# Forms that Copier itself takes for a repository; any other needs a prefix that says so.
KNOWN_FORMS = ("git@", "git://", "git+", "gh:", "gl:")
SHORT_FORMS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}


@dataclass(frozen=True)
class Template:
    """A template that can be read: `location` is what projects record, `folder` a copy to look into.

    `scratch` is a folder for what is taken out of it; without `versioned` it is plain files with no history.
    """

    location: str
    folder: Path
    scratch: Path
    versioned: bool

    def releases(self) -> list[str]:
        """Return the tags that are final releases under PEP 440, newest first."""
        found = {}
        for tag in git.read(self.folder, "tag", "--list").splitlines():
            try:
                version = Version(tag)
            except InvalidVersion:
                continue
            if not version.is_prerelease:
                found[tag] = version
        return sorted(found, key=lambda tag: found[tag], reverse=True)

    def newest(self) -> str:
        """Return the newest release, or the commit of the default branch when nothing was released yet."""
        # A commit instead of HEAD: with HEAD, Copier would add changes that nobody committed, and record
        # a commit that no repository has and no update can start from.
        return next(iter(self.releases()), None) or git.read(self.folder, "rev-parse", "HEAD")

    def commit(self, version: str) -> str:
        """Return the commit that a tag, branch or commit stands for.

        Raises:
            RefusedError: the template has no such version.
        """
        if found := _commit(self.folder, version):
            return found
        releases = self.releases()
        near = get_close_matches(version, releases, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"its newest is {releases[0]}."
            if releases
            else "it has no release."
        )
        raise RefusedError(f"The template at {self.location} has no version {version!r}; {hint}")

    def shown(self, version: str) -> str:
        """Return a version as Copier records it: a release, or what came after one."""
        return git.read(self.folder, "describe", "--tags", "--always", self.commit(version))

    def is_newer(self, version: str, than: str) -> bool:
        """Return whether a version is not part of the history of another."""
        commits = self.commit(version), self.commit(than)
        return git.run(self.folder, "merge-base", "--is-ancestor", *commits).returncode != 0

    def questions(self, version: str | None) -> Path:
        """Return a folder with what the template asks in a version, and no other file of the template.

        Raises:
            RefusedError: this is not a template.
        """
        destination = self.scratch / f"questions-{version and self.commit(version)}"
        if destination.exists():
            return destination
        destination.mkdir()
        if version is None:
            _copy(self.folder, destination)
        else:
            commit = self.commit(version)
            present = git.read(self.folder, "ls-tree", "--name-only", commit).splitlines()
            wanted = [name for name in QUESTIONS if name in present]
            if "copier.yml" in wanted:
                git.read(
                    self.folder, f"--work-tree={destination}", "checkout", "--quiet", commit, "--", *wanted
                )
        if not (destination / "copier.yml").is_file():
            raise RefusedError(
                f"{self.location} is not a template: it has no copier.yml; name one with --template."
            )
        # Copier looks for the files it is to render, and must find none.
        (destination / read_template(destination).get("_subdirectory", "template")).mkdir(exist_ok=True)
        return destination

    def has_uncommitted_changes(self) -> bool:
        """Return whether this is a repository on this machine with changes that no version holds."""
        local = Path(self.location)
        if not local.is_dir() or not self.versioned or git.is_bare(local):
            return False
        return bool(git.read(local, "status", "--porcelain"))


def _copy(folder: Path, destination: Path) -> None:
    for path in (path for name in QUESTIONS for path in (folder / name, *(folder / name).rglob("*"))):
        if path.is_file():
            copied = destination / path.relative_to(folder)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())


# A command asks for the same versions a dozen times, and its copy of the repository stays as it is.
@lru_cache(maxsize=64)
def _commit(folder: Path, version: str) -> str | None:
    for name in (version, f"origin/{version}"):
        ended = git.run(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if ended.returncode == 0:
            return ended.stdout.decode().split()[-1]
    return None


@contextmanager
def opened(location: str, record: Path | None = None) -> Iterator[Template]:
    """Give the template at a path or the address of a Git repository.

    Args:
        location: Where it is.
        record: The file that says so, if a project does.

    Raises:
        RefusedError: there is none, or it cannot be read.
    """
    local = Path(location).expanduser()
    with tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        bare = local.is_dir() and git.is_bare(local)
        if local.is_dir() and not bare and git.top_of(local) != local.resolve():
            yield Template(str(local.resolve()), local.resolve(), scratch, versioned=False)
            return
        copy = scratch / "repository"
        if local.exists():
            place = str(local.resolve())
            location = recorded_form(place) if bare else place
            if local.is_file() and git.run(scratch, "bundle", "verify", "--quiet", place).returncode:
                raise RefusedError(f"{place} is a file and no template; name a folder with --template.")
            # The objects stay where they are: looking into a template copies nothing.
            git.read(scratch, "clone", "--quiet", "--shared", "--no-checkout", "--", place, str(copy))
        else:
            if _looks_like_path(location):
                advice = "name a folder or an address of Git with --template"
                if record:
                    advice = f"if it moved, change _src_path in {record} and commit"
                raise RefusedError(f"There is no template at {location}; {advice}.")
            secret = address_of(recorded_form(location))
            location = recorded_form(whole_without_credentials(location))
            with reach.copied(address_of(location), secret, copy, record):
                yield Template(location, copy, scratch, versioned=True)
            return
        yield Template(location, copy, scratch, versioned=True)


def _looks_like_path(location: str) -> bool:
    return (
        "://" not in location and not location.startswith(KNOWN_FORMS) and not re.match(r"[^/\\]+@", location)
    )


def recorded_form(location: str) -> str:
    """Return the address of a repository in a form that Copier takes for one."""
    if location.startswith(KNOWN_FORMS) or location.endswith(".git"):
        return location
    return f"git+{location}"


def address_of(location: str) -> str:
    """Return the address that Git understands."""
    for short, long in SHORT_FORMS.items():
        if location.startswith(short):
            return long + location.removeprefix(short).removeprefix("/").removesuffix(".git") + ".git"
    return location.removeprefix("git+")


def origin() -> tuple[str, str | None] | None:
    """Return where this front end itself came from, with the version that was asked for, or None if unknown.

    A clone is its own template; an installed package has recorded its repository (PEP 610).
    """
    repository = Path(__file__).resolve().parents[2]
    if (repository / "copier.yml").is_file():
        return str(repository), None
    try:
        text = importlib.metadata.distribution("acceleray").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None
    return installed_from(text) if text else None


def installed_from(record: str) -> tuple[str, str | None] | None:
    """Return the repository and the version in a record of an installation, or None if it is not one."""
    entry = json.loads(record)
    if "vcs_info" in entry:
        return recorded_form(entry["url"]), entry["vcs_info"].get("requested_revision")
    if "dir_info" in entry:
        return url2pathname(urlsplit(entry["url"]).path), None
    return None
