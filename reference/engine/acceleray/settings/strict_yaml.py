"""YAML files that people edit: read as plain values, with a key that is there twice refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from acceleray.errors import PortfolioError


class StrictLoader(yaml.SafeLoader):
    """A safe loader, which makes nothing but plain values, and refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping, or raise where a key is there twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is there twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_sections(path: Path, setting: str, sections: str) -> tuple[dict[str, Any], str]:
    """Return the sections of a file in conf/ that have a value, and the SHA-256 of its bytes.

    Args:
        path: of the file.
        setting: the setting that names it, such as `stress.definitions`.
        sections: what it may hold, in words, for the message.

    Raises:
        PortfolioError: there is no such file, it is not YAML, or it holds no sections.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        raise PortfolioError(f"There is no file {path}; set {setting} to one in conf/.") from None
    try:
        # StrictLoader is a SafeLoader: it makes nothing but plain values.
        content = yaml.load(raw.decode("utf-8"), StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise PortfolioError(f"conf/{path.name} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise PortfolioError(f"conf/{path.name} must hold {sections}.")
    # A section of which every line is commented out is there without a value.
    filled = {key: value for key, value in content.items() if value is not None}
    return filled, hashlib.sha256(raw).hexdigest()
