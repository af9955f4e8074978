"""Every release of this template by its commit, and clones that have the tags which Copier updates by."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from render import ROOT, SOURCES, copy_template

# Newer than every release, so that Copier updates to it.
NEXT = "9999"


def released(root: Path = ROOT) -> dict[str, str]:
    """Return the commit of every released version, oldest first."""
    listed = yaml.safe_load((root / "releases.yml").read_text(encoding="utf-8"))
    return {str(version): str(commit) for version, commit in listed.items()}


def git(folder: Path, *arguments: str) -> str:
    """Return what a git command says in a folder, whoever runs it and however their git is set up.

    Raises:
        SystemExit: the command failed; the message is git's own.
    """
    who = {
        f"GIT_{role}_{what}": text
        for role in ("AUTHOR", "COMMITTER")
        for what, text in (("NAME", "Acceleray"), ("EMAIL", "acceleray@example.com"))
    }
    environment = os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.rstrip()


def missing_history(root: Path = ROOT) -> str:
    """Return why a clone cannot be updated from in tests, or nothing when every release is there."""
    if not (root / ".git").exists():
        return "this is a copy without history"
    if git(root, "rev-parse", "--is-shallow-repository") == "true":
        return "this is a shallow clone"
    for version, commit in released(root).items():
        try:
            git(root, "cat-file", "-e", f"{commit}^{{commit}}")
        except SystemExit:
            return f"the commit of release {version} is not in this clone"
    return ""


def clone_with_tags(destination: Path) -> Path:
    """Return a clone with a tag for every release, and the working tree as the newest one."""
    git(ROOT, "clone", "--quiet", "--no-tags", str(ROOT), str(destination))
    for version, commit in released().items():
        git(destination, "tag", version, commit)
    for name in SOURCES:
        if (destination / name).is_dir():
            shutil.rmtree(destination / name)
    copy_template(destination)
    release_as_next(destination)
    return destination


def release_as_next(clone: Path, version: str = NEXT) -> None:
    """Commit what a clone's working tree holds, and make it a release."""
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", "the working tree")
    git(clone, "tag", version)
