"""Digests of contents: what decides a result, whatever object holds it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np
from pydantic import BaseModel


def content_key(*parts: Any) -> str:
    """Return the SHA-256 over values, in hexadecimal; equal contents give the same on every machine.

    Arrays count with type, shape and bits; numbers to the last bit; text, dates, None, tuples and lists,
    mappings by key, dataclasses and settings by field.

    Raises:
        TypeError: a part is none of these, so that nobody would know whether it is the same.
    """
    digest = hashlib.sha256()
    _add(digest, parts)
    return digest.hexdigest()


def _add(digest: Any, part: Any) -> None:
    match part:
        case np.ndarray():
            if part.dtype.hasobject:
                raise TypeError("an array of objects has no content of its own")
            _mark(digest, "array", f"{part.dtype.str}{part.shape}")
            digest.update(np.ascontiguousarray(part).data)
        case None | bool() | int() | str() | bytes():
            _mark(digest, type(part).__name__, part)
        case float() | np.floating():
            _mark(digest, "float", float(part).hex())
        case np.generic():
            _add(digest, part.item())
        case date():
            _mark(digest, "date", part.isoformat())
        case BaseModel():
            _mark(digest, "settings", json.dumps(part.model_dump(mode="json"), sort_keys=True))
        case Mapping():
            _mark(digest, "mapping", len(part))
            for name in sorted(part):
                _add(digest, name)
                _add(digest, part[name])
        case tuple() | list():
            _mark(digest, "sequence", len(part))
            for one in part:
                _add(digest, one)
        case _ if dataclasses.is_dataclass(part) and not isinstance(part, type):
            fields: Iterable[Any] = dataclasses.fields(part)
            _mark(digest, "record", type(part).__name__)
            for field in fields:
                _add(digest, field.name)
                _add(digest, getattr(part, field.name))
        case _:
            raise TypeError(f"{type(part).__name__} has no content that a digest could be taken of")


def _mark(digest: Any, kind: str, value: Any) -> None:
    """Add a value with its kind and length, so that no two sequences of values look alike."""
    content = value if isinstance(value, bytes) else str(value).encode()
    digest.update(f"{kind}:{len(content)}:".encode() + content)
