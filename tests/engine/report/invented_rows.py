"""What invented rows are kept in, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from acceleray import tables as t

AS_OF = date(2022, 12, 28)
KEYS = {"run_id": "r-test-0001", "as_of": AS_OF}


@dataclass
class Rows:
    """The rows of a run by table label, as lists of dictionaries that a test may change."""

    tables: dict[str, list[dict[str, Any]]]
    asked: list[t.Table] = field(default_factory=list)
    given: int = 0

    def __getitem__(self, table: t.Table) -> list[dict[str, Any]]:
        return self.tables[table.label]

    def read(self, table: t.Table, per: Sequence[str] = (), **among: list[Any]) -> pa.Table:
        """Return the rows with the declared columns and no others, every required value present.

        With `per` they are summed up as `Run.rows` does.
        """
        self.asked.append(table)
        kept = [row for row in self.tables[table.label] if all(row[n] in few for n, few in among.items())]
        found = pa.Table.from_pylist(kept, schema=table.arrow_schema)
        for column in table.columns:
            assert column.nullable or not found[column.name].null_count, f"{table.label}.{column.name}"
        if per:
            others = [name for name in table.column_names if name not in per]
            wanted = [(name, which) for which in ("min", "max") for name in others]
            summed = found.group_by(list(per)).aggregate([([], "count_all"), *wanted])
            found = summed.rename_columns({"count_all": "rows"})
        self.given += found.num_rows
        return found


def weekdays(count: int, last: date = AS_OF) -> list[date]:
    """Return the last so many Mondays to Fridays."""
    found: list[date] = []
    day = last
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]
