"""Keys and values of tags as Unity Catalog takes them, in every profile alike.

A key must not hold any of `. , - = / :` nor be longer than 255 characters, a value not longer than 1,000, and
neither may begin or end with a space (documentation of Unity Catalog, *Apply tags*, read in November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_RESERVED = re.compile(r"[.,\-=/:]")
_LONGEST_KEY, _LONGEST_VALUE = 255, 1000


def legal_key(key: str) -> str:
    """Return a tag's key with an underscore for each character that Unity Catalog reserves."""
    return _RESERVED.sub("_", key).strip()[:_LONGEST_KEY]


def legal_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with legal keys and values; a value that is too long ends in an ellipsis.

    Raises:
        ValueError: two keys become the same.
    """
    legal: dict[str, str] = {}
    for key, value in tags.items():
        known, text = legal_key(key), str(value).strip()
        if known in legal:
            raise ValueError(f"two tags are called {known} in Unity Catalog, one of them {key}")
        legal[known] = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}\u2026"
    return legal


def tag(tags: Mapping[str, str], key: str) -> str | None:
    """Return the value of a tag under its legal key, else under the key that releases up to 0.2 wrote."""
    return tags.get(legal_key(key), tags.get(key))
