"""Import all modules of projects that hold only some files of a whole one, each in a separate process.

Python is started once, imports the libraries, and is forked for each project: to start it anew would take
seconds. Files are links to those of the whole project, and so is what Python keeps of them compiled.
"""

from __future__ import annotations

import compileall
import importlib
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

PACKAGE = "portfolio"
AT_ONCE = 2


def failures(
    engine: Path, source: Path, projects: Mapping[str, Iterable[str]], scratch: Path
) -> dict[str, str]:
    """Return the projects whose modules cannot all be imported, with what Python said.

    Args:
        engine: folder of the engine, which is the same in all projects.
        source: folder of the whole project's package.
        projects: for each name, the paths below `source` that this project has.
        scratch: an empty folder.
    """
    whole = Path(shutil.copytree(source, scratch / "whole", ignore=shutil.ignore_patterns("__pycache__")))
    compileall.compile_dir(whole, quiet=2)
    for name, paths in projects.items():
        _linked(whole, paths, scratch / name)
    done = subprocess.run(
        [sys.executable, __file__, str(whole), *(str(scratch / name) for name in projects)],
        stdout=subprocess.PIPE,
        check=True,
        env=os.environ | {"PYTHONPATH": str(engine)},
        timeout=3000,
    )
    return {Path(folder).name: said for folder, said in json.loads(done.stdout).items()}


def _linked(whole: Path, paths: Iterable[str], folder: Path) -> None:
    for path in map(PurePosixPath, paths):
        place = folder / path
        if not place.parent.is_dir():
            place.parent.mkdir(parents=True)
            (place.parent / "__pycache__").symlink_to(whole / path.parent / "__pycache__")
        place.symlink_to(whole / path)


def modules(folder: Path) -> list[str]:
    """Return the names of all modules of the package in a folder."""
    paths = [path.relative_to(folder).with_suffix("") for path in sorted(folder.rglob("*.py"))]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    # What `python -m` runs does so when it is imported.
    return [name for name in names if not name.endswith(".__main__")]


def import_all(folder: Path) -> None:
    """Import every module of the package in a folder, and nothing of it from anywhere else."""
    sys.path.insert(0, str(folder))
    for name in modules(folder):
        found = importlib.import_module(name)
        assert Path(str(found.__file__)).is_relative_to(folder), f"{name} is of {found.__file__}"


def forgotten(folder: Path) -> None:
    """Forget the modules of the package that came from this folder."""
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    importlib.invalidate_caches()


def main(whole: str, *folders: str) -> None:
    """Print as JSON what went wrong in which folder."""
    # Only so that all libraries are loaded: what cannot be imported is found in each project.
    with suppress(Exception):
        import_all(Path(whole))
    forgotten(Path(whole))
    wrong: dict[str, str] = {}
    under_way: dict[int, tuple[str, int]] = {}
    for folder in [*folders, *[""] * AT_ONCE]:
        if len(under_way) == AT_ONCE or (under_way and not folder):
            ended, status = os.wait()
            of, said = under_way.pop(ended)
            if status:
                wrong[of] = os.read(said, 65536).decode("utf-8") or f"ended with {status}"
            os.close(said)
        if folder:
            said, tell = os.pipe()
            if not (child := os.fork()):
                _child(Path(folder), tell)
            os.close(tell)
            under_way[child] = folder, said
    json.dump(wrong, sys.stdout)


def _child(folder: Path, tell: int) -> None:
    status = 1
    try:
        import_all(folder)
        status = 0
    except BaseException:
        os.write(tell, traceback.format_exc()[-4000:].encode("utf-8"))
    finally:
        # Nothing of the parent's is to end with it.
        os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
