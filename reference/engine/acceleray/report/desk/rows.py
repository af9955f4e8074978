"""Rows of a run taken apart by portfolio: each table is read once, however many pages are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.report.rows import Read, Reads
from acceleray.tables import Table


class ByPortfolio:
    """The rows of some portfolios; memory holds those and no others."""

    def __init__(self, read: Reads, portfolios: Sequence[str]) -> None:
        """Keep what gives the rows of the run, and whose rows are wanted."""
        self._read = read
        self._portfolios = list(portfolios)
        self._tables: dict[tuple[str, ...], pa.Table] = {}
        self._bounds: dict[tuple[str, ...], dict[str, tuple[int, int]]] = {}

    def of(self, portfolio_id: str) -> Read:
        """Return what gives the rows of one portfolio, and all rows of a table that is not about any."""

        def read(table: Table) -> pa.Table:
            key = (table.label, *table.column_names)
            if key not in self._tables:
                self._keep(key, table)
            if key not in self._bounds:
                return self._tables[key]
            first, count = self._bounds[key].get(portfolio_id, (0, 0))
            return self._tables[key].slice(first, count)

        return read

    def _keep(self, key: tuple[str, ...], table: Table) -> None:
        if "portfolio_id" not in table.column_names:
            self._tables[key] = self._read(table)
            return
        among: dict[str, Any] = {"portfolio_id": self._portfolios}
        rows = self._read(table, **among)
        names = [name for name in ("portfolio_id", *table.key) if name in rows.column_names]
        rows = rows.sort_by([(name, "ascending") for name in dict.fromkeys(names)]).combine_chunks()
        ids = rows["portfolio_id"].to_numpy(zero_copy_only=False)
        firsts = (
            np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1]))) if ids.size else np.empty(0, int)
        )
        counts = np.diff(np.append(firsts, ids.size))
        self._tables[key] = rows
        self._bounds[key] = {
            str(ids[first]): (int(first), int(count)) for first, count in zip(firsts, counts, strict=True)
        }
