"""Identity of the code: digests, version of the engine, and its edited files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import acceleray

ENGINE = Path(acceleray.__file__).parent
# Around the package where the engine is source, inside it in a wheel, which knows no folder around a package.
_VERSION, _METHODOLOGY, _HASHES = "VERSION", "methodology.md", "HASHES"
# Files that a wheel adds to a package.
_ADDED = ((_VERSION,), (_METHODOLOGY,))


def source_digest(folder: Path | None) -> str:
    """Return a SHA-256 over the files of a package, shortened to 16 digits; the same from a wheel."""
    digest = hashlib.sha256()
    for name, content in _files(folder) if folder is not None else ():
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


def engine_digest() -> str:
    """Return the digest of the engine that is imported here."""
    return source_digest(ENGINE)


def engine_version() -> str:
    """Return the engine's version, or `unknown`."""
    for path in (ENGINE.parent / _VERSION, ENGINE / _VERSION):
        if path.is_file():
            return path.read_text(encoding="utf-8").strip()
    from importlib import metadata

    try:
        return metadata.version("acceleray-engine")
    except metadata.PackageNotFoundError:
        return "unknown"


def methodology() -> str:
    """Return the text of docs/methodology.md, empty where it did not come with the engine."""
    for path in (ENGINE.parent / "docs" / _METHODOLOGY, ENGINE / _METHODOLOGY):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


def edited(engine: Path = ENGINE) -> tuple[str, ...] | None:
    """Return the files of the engine that are not as released, sorted; None without a list of a release.

    A file that was changed, added or deleted counts. The release's SHA-256 of each are in `engine/HASHES`.
    """
    listed = engine.parent / _HASHES
    if not listed.is_file():
        return None
    released: dict[str, str] = {}
    for line in listed.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if name.startswith(f"{engine.name}/"):
            released[name] = digest
    here = {f"{engine.name}/{name}": hashlib.sha256(content).hexdigest() for name, content in _files(engine)}
    return tuple(
        sorted(name for name in released.keys() | here.keys() if released.get(name) != here.get(name))
    )


def _files(folder: Path) -> list[tuple[str, bytes]]:
    """Return name and content of what a wheel of this package holds, by name: no caches, no hidden files."""
    found = []
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part == "__pycache__" or part.startswith(".") for part in parts)
        if not hidden and path.suffix != ".pyc" and parts not in _ADDED and path.is_file():
            found.append(("/".join(parts), path.read_bytes()))
    return sorted(found)
