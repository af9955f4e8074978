"""Fetch the two Delta jars once, with the Ivy inside pyspark or from a mirror, and check what came."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from acceleray.errors import PortfolioError

DELTA_VERSION = "4.4.0"
# SHA-256 of each artifact: a mirror cannot slip in something else.
ARTIFACTS = {
    "delta-spark_4.1_2.13": "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
    "delta-storage": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
}


def delta_jars(cache: Path, java_home: Path, mirror: str = "") -> tuple[Path, ...]:
    """Return the paths of the Delta jars, fetched into `cache` on first use.

    Args:
        cache: what is fetched once is kept there.
        java_home: the Java that runs Ivy.
        mirror: the address of a Maven repository, or a folder laid out like one; empty for Maven Central.

    Raises:
        PortfolioError: a jar is missing and cannot be fetched, or is not the one that was pinned.
    """
    return tuple(_jar(name, digest, cache / "jars", java_home, mirror) for name, digest in ARTIFACTS.items())


def jar_path(name: str, folder: Path) -> Path:
    """Return where a jar is, or will be, in the folder of jars."""
    return folder / f"{name}-{DELTA_VERSION}.jar"


def _jar(name: str, digest: str, folder: Path, java_home: Path, mirror: str) -> Path:
    target = jar_path(name, folder)
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fetched = (
                _copied(name, Path(scratch), mirror) if mirror else _fetch(name, Path(scratch), java_home)
            )
            os.replace(fetched, target)
    if hashlib.sha256(target.read_bytes()).hexdigest() != digest:
        raise PortfolioError(f"{target} is not the pinned {name} {DELTA_VERSION}; delete it and run again.")
    return target


def _copied(name: str, scratch: Path, mirror: str) -> Path:
    """Return a jar from a mirror, reached with the proxy and certificates that the environment names."""
    path = f"io/delta/{name}/{DELTA_VERSION}/{name}-{DELTA_VERSION}.jar"
    place = mirror if "://" in mirror else Path(mirror).expanduser().resolve().as_uri()
    target = scratch / path.rpartition("/")[2]
    try:
        with urllib.request.urlopen(f"{place.rstrip('/')}/{path}", timeout=600) as answer:
            target.write_bytes(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise PortfolioError(
            f"The Delta jar is not at {without_login(place)} as {path} ({getattr(error, 'reason', error)}); "
            "correct paths.maven, or put the jar there."
        ) from None
    return target


def without_login(address: str) -> str:
    """Return an address without the user name and password in it."""
    return re.sub(r"//[^/@]*@", "//", address)


def _fetch(name: str, scratch: Path, java_home: Path) -> Path:
    import pyspark

    ivy = next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))
    command = [str(java_home / "bin" / "java"), "-jar", str(ivy)]
    command += ["-cache", str(scratch / "ivy"), "-dependency", "io.delta", name, DELTA_VERSION]
    command += ["-notransitive", "-confs", "default"]
    command += ["-retrieve", f"{scratch}/[artifact]-[revision].[ext]"]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        return next(scratch.glob(f"{name}-{DELTA_VERSION}.jar"))
    except (OSError, subprocess.SubprocessError, StopIteration):
        raise PortfolioError(
            f"The Delta jar {name}-{DELTA_VERSION}.jar could not be fetched; connect to the network once, "
            f"name a mirror in paths.maven, or put it into {scratch.parent}."
        ) from None
