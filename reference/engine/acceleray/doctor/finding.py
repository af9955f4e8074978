"""One result of an examination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `ok`, `note` (works, but know it) or `missing` (do this first)."""

    status: Literal["ok", "note", "missing"]
    subject: str
    detail: str
