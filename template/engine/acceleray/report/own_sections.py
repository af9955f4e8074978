"""Sections that a project adds to a report: text and small tables, shown as they are and never as markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.extend import Rows, Section
from acceleray.report.formats import MISSING, number, printable
from acceleray.report.rows import Reads

# A page is for people; a longer table belongs into a table of the lake.
SHOWN_ROWS = 100


@dataclass(frozen=True)
class Cell:
    """Content of one cell; numbers are aligned to the right."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Block:
    """A paragraph, or a table if it has a header; `rows` of them are left out beyond `SHOWN_ROWS`."""

    text: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class OwnSection:
    """One section as the page shows it."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


def written(sections: Sequence[Section], read: Reads) -> tuple[OwnSection, ...]:
    """Return the sections with what their functions say of the run whose rows `read` gives.

    Raises:
        PortfolioError: a function raised, or returned something else than text and tables.
    """
    return tuple(_written(section, read) for section in sections)


def _written(section: Section, read: Reads) -> OwnSection:
    try:
        said = section.write(read)
        blocks = tuple(_block(each) for each in ([said] if isinstance(said, str | Rows) else said))
    except Exception as error:
        line = (str(error).splitlines() or [""])[0]
        raise PortfolioError(
            f"Section '{section.name}' of the report cannot be written: {type(error).__name__}: {line}; "
            "the run's tables are committed."
        ) from error
    # Sections of the engine have anchors too.
    return OwnSection(f"own-{section.name}", printable(section.title), blocks)


def _block(said: str | Rows) -> Block:
    if isinstance(said, str):
        return Block(printable(said))
    if not isinstance(said, Rows):
        raise TypeError(f"{type(said).__name__} is neither text nor acceleray.extend.Rows")
    rows = [tuple(_cell(value) for value in row) for row in said.rows]
    if uneven := next((row for row in rows if len(row) != len(said.header)), None):
        cells = counted(len(uneven), "cell")
        raise ValueError(f"a row has {cells} where the header has {len(said.header)}")
    return Block(
        printable(said.caption),
        tuple(printable(name) for name in said.header),
        tuple(rows[:SHOWN_ROWS]),
        max(0, len(rows) - SHOWN_ROWS),
    )


def _cell(value: object) -> Cell:
    if value is None:
        return Cell(MISSING, False)
    if isinstance(value, float):
        return Cell(number(value, 4), True)
    return Cell(printable(value), isinstance(value, int) and not isinstance(value, bool))
