"""Parts of a table declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

# Raised when a table changes in a way that older code must not write to; newer code adds missing columns.
CONTRACT_VERSION = 2

Layer = Literal["bronze", "silver", "gold"]
# A commit replaces the rows of one price source, or of one run. Kept work is found by its kind.
Scope = Literal["source", "run_id", "kind"]
Type = Literal["string", "double", "long", "boolean", "date", "timestamp"]

_ARROW: dict[Type, pa.DataType] = {
    "string": pa.string(),
    "double": pa.float64(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_SQL: dict[Type, str] = {
    "string": "STRING",
    "double": "DOUBLE",
    "long": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One column: name, type, unit ('' where it has none) and a comment a newcomer understands."""

    name: str
    type: Type
    comment: str
    unit: str = ""
    nullable: bool = False
    # A volatile column says when or by whom a row was written; it does not count when contents are compared.
    volatile: bool = False

    @property
    def sql(self) -> str:
        """Return the column's line of DDL."""
        null = "" if self.nullable else " NOT NULL"
        return f"{quoted(self.name)} {_SQL[self.type]}{null} COMMENT {literal(self.description)}"

    @property
    def description(self) -> str:
        """Return the comment with the unit behind it."""
        return f"{self.comment} [{self.unit}]" if self.unit else self.comment


@dataclass(frozen=True)
class Table:
    """One Delta table: where it lives, what identifies a row, and what must hold in every row."""

    layer: Layer
    name: str
    comment: str
    scope: Scope
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    # Constraint name -> SQL condition, enforced by Delta on every write.
    checks: tuple[tuple[str, str], ...] = ()
    # Rows are only ever added: Delta itself refuses to change or delete one.
    append_only: bool = False

    @property
    def label(self) -> str:
        """Return the short name people use: layer.name."""
        return f"{self.layer}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the column names in declared order."""
        return tuple(column.name for column in self.columns)

    @property
    def compared_names(self) -> tuple[str, ...]:
        """Return the columns that decide whether two contents are the same."""
        return tuple(column.name for column in self.columns if not column.volatile)

    @property
    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow schema in declared order."""
        return pa.schema([pa.field(c.name, _ARROW[c.type], nullable=c.nullable) for c in self.columns])


def quoted(identifier: str) -> str:
    """Return a SQL identifier in backticks, with backticks inside it doubled."""
    return "`" + identifier.replace("`", "``") + "`"


def literal(text: str) -> str:
    r"""Return a SQL string literal; `\` and `'` are escaped."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def source_column() -> Column:
    """Return the column that names the price source a row belongs to."""
    return Column("source", "string", "Price source: sample, csv:<name> or table:<name>")


def run_columns() -> tuple[Column, Column]:
    """Return the two columns every result row carries."""
    return (
        Column("run_id", "string", "Run that computed the row; resolve it with `portfolio lineage`"),
        Column("as_of", "date", "Last price date the run could see"),
    )


# Columns that several tables share, so that a name means the same thing everywhere.
PORTFOLIO = Column("portfolio_id", "string", "Portfolio")
INSTRUMENT = Column("instrument_id", "string", "Instrument")
CONFIDENCE = Column("confidence", "double", "Confidence level, 0.99 for 99 %")
HORIZON = Column("horizon_d", "long", "Horizon", "trading days")
METHOD = Column("method", "string", "How scenarios were made: filtered_historical or t_copula")
MODEL = Column("model", "string", "Forecasting model")
FACTOR = Column("factor_id", "string", "Risk factor, as conf/stress.yml names it")
SCENARIO = Column("scenario_id", "string", "Stress scenario, as conf/stress.yml names it")
