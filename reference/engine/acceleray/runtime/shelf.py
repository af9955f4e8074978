"""Kept results of one kind: read once, checked at every use, extended by the run."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.driver_read import rows_here
from acceleray.engines.handoff.selection import Selection
from acceleray.tables import KEPT_WORK

_COLUMNS = ("work_key", "made_with", "run_id", "payload", "payload_sha256", "made_at")


@dataclass(frozen=True)
class Kind:
    """A kind of work: the module-level function that does it; its result as bytes and back, to the bit."""

    name: str
    function: Callable[..., Any]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


class DamagedError(Exception):
    """A kept result has changed since it was stored."""


@dataclass
class Shelf:
    """The kept results of one kind, and which of them this code made.

    Attributes:
        kind: of work.
        made_with: digest of what computes it here.
        rows: of `gold.kept_work`, some columns.
        here: row of each key that this code made.
        others: keys that only other code made.
        damaged: keys whose result was not what had been kept.
        new: results of this run by key, not written yet.
        new_bytes: how long they are together.
    """

    kind: Kind
    made_with: str
    rows: pa.Table
    here: dict[str, int]
    others: frozenset[str]
    damaged: set[str] = field(default_factory=set)
    new: dict[str, bytes] = field(default_factory=dict)
    new_bytes: int = 0

    @classmethod
    def of(cls, kind: Kind, made_with: str, rows: pa.Table) -> Shelf:
        """Return the shelf of what is kept, the rows of `kept_rows`."""
        keys = rows["work_key"].to_pylist()
        by = rows["made_with"].to_pylist()
        here = {key: row for row, key in enumerate(keys) if by[row] == made_with}
        return cls(kind, made_with, rows, here, frozenset(keys) - here.keys())

    def content(self, key: str) -> bytes | None:
        """Return a result as bytes, None if this code made none.

        Raises:
            DamagedError: it is damaged; the shelf forgets it.
        """
        if (row := self.here.get(key)) is None:
            return None
        if (content := self._whole(row)) is not None:
            return content
        # It may have been recomputed since, and stored next to the damaged one.
        for other, name in enumerate(self.rows["work_key"].to_pylist()):
            if name == key and self.rows["made_with"][other].as_py() == self.made_with:
                self.here[key] = other
                if (content := self._whole(other)) is not None:
                    return content
        del self.here[key]
        self.damaged.add(key)
        raise DamagedError(key)

    def _whole(self, row: int) -> bytes | None:
        """Return the result in a row, None if it is not what was kept."""
        try:
            content = base64.b64decode(self.rows["payload"][row].as_py(), validate=True)
        except (binascii.Error, TypeError, ValueError):
            return None
        digest = hashlib.sha256(content).hexdigest()
        return content if digest == self.rows["payload_sha256"][row].as_py() else None

    def made_by(self, key: str) -> str:
        """Return the run that made a result."""
        return str(self.rows["run_id"][self.here[key]].as_py())

    def made_at(self, key: str) -> datetime:
        """Return when a result was kept."""
        made_at: datetime = self.rows["made_at"][self.here[key]].as_py()
        return made_at

    def add(self, key: str, content: bytes) -> None:
        """Put a result on the shelf, to be written."""
        self.new[key] = content
        self.new_bytes += len(content)

    def unwritten(self, same: Mapping[str, Any]) -> pa.Table:
        """Return what is to be written as rows, `same` the values that all share, and count it as written."""
        new, self.new, self.new_bytes = self.new, {}, 0
        columns: dict[str, Any] = {name: [value] * len(new) for name, value in same.items()}
        columns["kind"], columns["made_with"] = [self.kind.name] * len(new), [self.made_with] * len(new)
        columns["made_at"] = [datetime.now(UTC)] * len(new)
        columns["work_key"] = list(new)
        columns["payload"] = [base64.b64encode(content).decode() for content in new.values()]
        columns["payload_sha256"] = [hashlib.sha256(content).hexdigest() for content in new.values()]
        schema = KEPT_WORK.arrow_schema
        return pa.table([pa.array(columns[one.name], one.type) for one in schema], schema.names)


def nothing_kept() -> pa.Table:
    """Return the rows of an empty shelf."""
    return KEPT_WORK.arrow_schema.empty_table().select(_COLUMNS)


def kept_rows(lake: Lake, kind: Kind) -> pa.Table:
    """Return what the newest version of `gold.kept_work` has of a kind."""
    if not lake.exists(KEPT_WORK):
        return nothing_kept()
    chosen = Selection(KEPT_WORK, lake.version(KEPT_WORK), kind.name, _COLUMNS)
    rows = rows_here(lake, chosen, {})
    return (chosen.frame(lake).toArrow() if rows is None else rows).combine_chunks()
