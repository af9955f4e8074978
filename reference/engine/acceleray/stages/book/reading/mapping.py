"""conf/book.yml: the user's own names of columns, and what a file of holdings leaves open."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acceleray.errors import PortfolioError
from acceleray.settings.strict_yaml import StrictLoader

BOOK_FILE = "conf/book.yml"
"""Where a project maps its columns; there need be none."""

TypeName = Literal[
    "equity", "fund", "index", "fx", "future", "forward", "cash", "option", "bond"
]  # fmt: skip
Line = Annotated[int, Field(gt=0)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TableMap(_Entry):
    """How one table is read.

    Attributes:
        columns: the user's names of columns, by ours.
        decimal: `point`, `comma`, or `auto`: the numbers decide.
        header_line: line of the header; None: it is found by its names.
        last_line: last line of the table; None: it ends where lines do not fit any more.
        sheet: of an Excel file; empty: the one that has such a table.
    """

    columns: dict[str, str] = {}
    decimal: Literal["auto", "point", "comma"] = "auto"
    header_line: Line | None = None
    last_line: Line | None = None
    sheet: str = ""


class PositionsMap(TableMap):
    """How positions are read.

    Attributes:
        portfolio_id: of all rows, for a file that has no such column.
        portfolio_is_file_name: the name of each file, without its ending, is its portfolio.
        value_unit: what one unit of a market value is worth: 1000 where they are in thousands.
        groups: further columns to group by; None: each that contains words.
    """

    portfolio_id: str = ""
    portfolio_is_file_name: bool = False
    value_unit: Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=False)] = 1.0
    groups: list[str] | None = None


class BookMap(_Entry):
    """All of conf/book.yml; `types` are the user's words for types of instruments, by word."""

    positions: PositionsMap = PositionsMap()
    portfolios: TableMap = TableMap()
    instruments: TableMap = TableMap()
    types: dict[str, TypeName] = {}


def read_map(project_dir: Path) -> BookMap:
    """Return what a project's conf/book.yml says; it need not be there.

    Raises:
        PortfolioError: it cannot be read, is not YAML, or has keys or values that have no place in it.
    """
    try:
        content = (project_dir / BOOK_FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return BookMap()
    except (OSError, UnicodeDecodeError) as error:
        raise PortfolioError(f"{BOOK_FILE} cannot be read: {error}.") from None
    try:
        parsed = yaml.load(content, StrictLoader) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise PortfolioError(f"{BOOK_FILE} is not valid YAML: {' '.join(str(error).split())}.") from None
    return map_of(parsed)


def map_of(content: Any) -> BookMap:
    """Return a parsed conf/book.yml.

    Raises:
        PortfolioError: it has keys or values that have no place in it.
    """
    if not isinstance(content, dict):
        raise PortfolioError(f"{BOOK_FILE} must have the sections positions, portfolios, instruments, types.")
    # A section or entry that is there without a value says nothing.
    filled = {
        key: {inner: one for inner, one in value.items() if one is not None}
        if isinstance(value, dict)
        else value
        for key, value in content.items()
        if value is not None
    }
    try:
        return BookMap.model_validate(filled)
    except ValidationError as error:
        raise PortfolioError(f"{BOOK_FILE}, {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        names = [*BookMap.model_fields, *PositionsMap.model_fields]
        close = difflib.get_close_matches(str(first["loc"][-1]), names, n=1)
        return f"{where}: unknown key; " + (f"did you mean {close[0]}?" if close else "remove it.")
    return f"{where}: {first['msg']}, not {first['input']!r}."
