"""The environment a run is repeated in: this one if it has the archived versions, else one from the lock."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from acceleray.archive.manifest import digest_of
from acceleray.archive.project_copy import LOCKS, libraries, pins, python_version
from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter


def differing(project: Path, manifest: dict[str, Any]) -> list[str]:
    """Return in words what this environment has in other versions than the run had; nothing if all is alike.

    Of an archive with a lock the pinned libraries count, else all that were installed.
    """
    pinned = pins(project)
    then = {name: each for name, each in manifest["libraries"].items() if not pinned or name in pinned}
    here = libraries()
    found = [] if manifest["python"] == python_version() else [f"Python {manifest['python']}"]
    return found + [f"{name} {version}" for name, version in then.items() if here.get(name) != version]


def python_for(project: Path, manifest: dict[str, Any], cache: Path, reporter: Reporter) -> Path:
    """Return the Python to repeat a run with; one made from the lock stays, for the next time.

    Args:
        project: the archived project, restored.
        manifest: of the archive.
        cache: folder of what is fetched once.
        reporter: told what is going on.

    Raises:
        PortfolioError: the archive has no lock, or an environment cannot be made from it.
    """
    other = differing(project, manifest)
    if not other:
        reporter.say("  This environment has the versions of the archived lock")
        return Path(sys.executable)
    few = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
    locks = [project / name for name in LOCKS if (project / name).is_file()]
    if not locks:
        raise PortfolioError(f"The run had {few}, not here, and the archive has no lock; install them.")
    known = digest_of([manifest["python"], platform.machine(), *(lock.read_text("utf-8") for lock in locks)])
    folder = cache / "environments" / known
    reporter.say(f"  The run had {few}: creating its environment in {folder}")
    script = project / "engine" / "scripts" / "prepare.sh"
    done = subprocess.run(["sh", str(script), str(folder), *map(str, locks)], stdout=2, check=False)
    if done.returncode:
        raise PortfolioError(
            f"No environment could be created from {locks[0]}; the lines above say why. Create one manually, "
            "and run `portfolio reproduce` in it."
        )
    return folder / "bin" / "python"
