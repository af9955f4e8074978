"""Groupings of positions: attributes of their instruments, and any further column of their file."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.book.holdings import Holdings
from acceleray.stages.book.valuation import Valued

ATTRIBUTES = ("asset_class", "sector", "country", "issuer", "type")
"""Attributes of instruments that positions are grouped by; currency is one of the positions."""


def groups_of(holdings: Holdings, valued: Valued) -> dict[str, NDArray[np.object_]]:
    """Return by grouping the group of each position (positions,), empty where it has none."""
    facts = {row["instrument_id"]: row for row in holdings.instruments.to_pylist()}
    found: dict[str, NDArray[np.object_]] = {"currency": valued.currency}
    for name in ATTRIBUTES:
        of_thing = [facts.get(each.instrument_id, {}).get(name) or "" for each in valued.things]
        found[name] = np.array(of_thing, dtype=object)[valued.thing]
    texts = holdings.positions["groups"].to_pylist()
    own = {text: json.loads(text) if text else {} for text in set(texts)}
    for name in sorted({key for columns in own.values() for key in columns} - set(found)):
        found[name] = np.array([str(own[text].get(name) or "") for text in texts], dtype=object)
    return found
