"""Test the tests: each fault planted in the engine or a recipe must make the test named for it fail.

Faults are in planted_faults.toml, each a line that a person could get wrong. Their tests run without engines,
but for the few that say `engines = true`. `make planted` prints a line for each, and ends with an error if
one was not noticed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from render import ROOT

# Each test imports NumPy and SciPy for a second or two: a test process for each of two cores.
WORKERS = 2
# Up to so many faults, compiling all modules beforehand takes longer than each process with its own.
FEW = 50
# A fault may make a loop that never ends; tests named here take some seconds, on a slow machine some minutes.
_LONGEST_S = 1800.0


@dataclass(frozen=True)
class Fault:
    """A line of the package, what it is made to say, and the test (or file of tests) that must notice."""

    workload: str
    what: str
    module: str
    right: str
    wrong: str
    noticed_by: str
    always: bool = False
    engines: bool = False

    @property
    def name(self) -> str:
        """Return module and fault in words."""
        return f"{self.module}: {self.what}"


@dataclass(frozen=True)
class Seen:
    """Whether a fault was noticed, and the seconds that took."""

    fault: Fault
    noticed: bool
    seconds: float


def _listed() -> tuple[Fault, ...]:
    text = (ROOT / "scripts/planted_faults.toml").read_text(encoding="utf-8")
    return tuple(Fault(workload, **one) for workload, some in tomllib.loads(text).items() for one in some)


FAULTS = _listed()


def run(template: Path, tests: Sequence[str], with_engines: bool = False) -> tuple[bool, str]:
    """Return whether tests pass on a copy of the template, up to the first that fails, and what they say."""
    packages = (template / "engine", template / "src", template / "engine/benchmarks")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "pytest_timeout", "-p", "no:cacheprovider"),
            # Whether a test fails is asked here, and not why: its text is run as it stands.
            "--assert=plain",
            *("-m", "" if with_engines else "not spark and not ray and not cluster and not nightly"),
            *("-o", f"pythonpath=. ../../scripts ../../src {' '.join(map(shlex.quote, map(str, packages)))}"),
            *tests,
        ],
        cwd=ROOT / "tests/engine",
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{', '.join(tests)} could not run: {done.stdout[-2000:]}")
    return done.returncode == 0, done.stdout


def noticed(template: Path, fault: Fault) -> bool:
    """Return whether the fault's test fails with it; the copy of the template is left as it was."""
    module = template / fault.module
    before = module.read_text(encoding="utf-8")
    if before.count(fault.right) != 1:
        raise SystemExit(f"{fault.module} does not hold {fault.right!r} once; put the fault right.")
    try:
        module.write_text(before.replace(fault.right, fault.wrong), encoding="utf-8")
        return not run(template, [fault.noticed_by], fault.engines)[0]
    finally:
        module.write_text(before, encoding="utf-8")


def planted(faults: Sequence[Fault], known_to_pass: bool = False) -> Iterator[Seen]:
    """Yield what became of each fault, as it ends; each worker plants in a copy of the template.

    Unless they are known to pass, the tests must pass without a fault first, once for each file of tests.
    """
    files: dict[tuple[str, bool], list[str]] = {}
    for fault in faults:
        together = fault.noticed_by.partition("::")[0], fault.engines
        files.setdefault(together, []).append(fault.noticed_by)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(WORKERS) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            copies.put(_copy(Path(scratch, f"template {number}"), compiled=len(faults) > FEW))

        def clean(together: tuple[str, bool]) -> None:
            copy = copies.get()
            try:
                passed, said = run(copy, list(dict.fromkeys(files[together])), together[1])
            finally:
                copies.put(copy)
            if not passed:
                raise SystemExit(f"Tests fail without any fault:\n{said[-2000:]}")

        def plant(fault: Fault) -> Seen:
            copy, start = copies.get(), time.monotonic()
            try:
                return Seen(fault, noticed(copy, fault), time.monotonic() - start)
            finally:
                copies.put(copy)

        try:
            if not known_to_pass:
                list(pool.map(clean, files))
            for done in as_completed([pool.submit(plant, fault) for fault in faults]):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)
            if sys.pycache_prefix:
                shutil.rmtree(Path(sys.pycache_prefix, *Path(scratch).parts[1:]), ignore_errors=True)


def _copy(into: Path, compiled: bool) -> Path:
    for name in ("engine", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "docs")
        shutil.copytree(ROOT / "template" / name, into / name, ignore=ignored)
    if compiled:
        # Once for all test processes. A module with a fault has another hash, and is compiled by each.
        compile_all = ("compileall", "-q", "--invalidation-mode", "checked-hash", str(into))
        subprocess.run([sys.executable, "-m", *compile_all], check=True)
    return into


def main() -> None:
    """Plant every fault in copies of the template."""
    start, missed = time.monotonic(), 0
    for seen in planted(FAULTS):
        missed += not seen.noticed
        verdict = "noticed" if seen.noticed else "MISSED"
        sys.stdout.write(f"{verdict:<8} {seen.seconds:5.1f} s  {seen.fault.name}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(FAULTS)} faults in {time.monotonic() - start:.0f} s\n")
    if missed:
        raise SystemExit(f"{missed} of {len(FAULTS)} faults went unnoticed.")


if __name__ == "__main__":
    main()
