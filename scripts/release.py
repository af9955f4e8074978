"""Make a release: check that it can be one, run what guards updates, name it, tag it, and record its commit.

Nothing is pushed, and nothing is named or tagged unless every check passed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from packaging.version import InvalidVersion, Version

from releases import git, released
from render import ROOT

# A release promises: reference/ is what is generated, every choice is whole, no update loses anything.
GUARDS = (
    "tests/template/test_render.py",
    "tests/template/test_subsets.py",
    "tests/template/test_updates.py",
    "tests/template/test_front_edits.py",
    "tests/template/test_front_engine.py",
    "tests/template/test_front_moved.py",
)


def refusals(version: str, root: Path = ROOT) -> list[str]:
    """Return why a version cannot be released from here, a line each."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        return [f"'{version}' is not a version of PEP 440, by which Copier compares; write it like 0.2.0."]
    found = []
    if str(wanted) != version:
        found.append(f"Write {version} as {wanted}: two spellings of one version would be two tags.")
    newest = max((Version(one) for one in released(root)), default=Version("0"))
    if wanted <= newest:
        found.append(f"{version} is not newer than {newest}, which is released.")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md has no heading '## {version}'; say what changes in a customer's project.")
    if git(root, "status", "--porcelain"):
        found.append("Something is not committed.")
    if git(root, "tag", "--list", version):
        found.append(f"There is a tag {version} already.")
    return found


def name(version: str, root: Path = ROOT) -> None:
    """Give the front end the version in a separate commit: whoever installs the tag gets what it says."""
    path = root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        re.sub(r'^version = ".*"$', f'version = "{version}"', text, count=1, flags=re.MULTILINE), "utf-8"
    )
    if git(root, "status", "--porcelain"):
        git(root, "commit", "--quiet", "--no-verify", "--all", "--message", f"release: {version}")


def record(version: str, root: Path = ROOT) -> str:
    """Tag the newest commit, add it to releases.yml in a separate commit, and return it."""
    commit = git(root, "rev-parse", "HEAD")
    git(root, "tag", "--annotate", "--message", f"Acceleray {version}", version, commit)
    with (root / "releases.yml").open("a", encoding="utf-8") as file:
        file.write(f'"{version}": {commit}\n')
    git(root, "add", "releases.yml")
    git(root, "commit", "--quiet", "--no-verify", "--message", f"release: record {version}")
    return commit


def guard(root: Path, guards: Sequence[str]) -> None:
    """Run tests of the repository at `root`; one that was skipped guards nothing.

    Raises:
        SystemExit: one failed or was skipped; the message says why it was.
    """
    with tempfile.TemporaryDirectory() as scratch:
        outcome = Path(scratch, "outcome.xml")
        tests = [sys.executable, "-m", "pytest", "-n", "auto", f"--junit-xml={outcome}", *guards]
        if subprocess.run(tests, cwd=root, check=False).returncode:
            raise SystemExit("Nothing was tagged.")
        skipped = ElementTree.parse(outcome).findall(".//skipped")
    if skipped:
        reasons = sorted({str(one.get("message")) for one in skipped})
        raise SystemExit(f"Nothing was tagged: {len(skipped)} tests were skipped ({'; '.join(reasons)}).")


def release(version: str, root: Path = ROOT, guards: Sequence[str] = GUARDS) -> str:
    """Release a version of the repository at `root`, and return its commit.

    Raises:
        SystemExit: it cannot be released; the message says why, and nothing was tagged.
    """
    if found := refusals(version, root):
        raise SystemExit("\n".join(found))
    render = [sys.executable, "scripts/render.py", "answers/reference.yml", "reference"]
    subprocess.run(render, cwd=root, check=True)
    if git(root, "status", "--porcelain"):
        raise SystemExit("reference/ was not what the template generates; look at it, commit it, try again.")
    guard(root, guards)
    name(version, root)
    return record(version, root)


def main() -> None:
    """Release the version named on the command line."""
    version = sys.argv[1] if len(sys.argv) == 2 else ""
    commit = release(version)
    sys.stdout.write(f"{version} is {commit}. Push both: git push origin main {version}\n")


if __name__ == "__main__":
    main()
