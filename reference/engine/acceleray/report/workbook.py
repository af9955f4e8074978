"""The tables of a run as one XLSX file: a sheet per table, numbers as numbers, text as text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acceleray.errors import PortfolioError
from acceleray.report.desk.order import looked_into
from acceleray.report.desk.overview import Overview
from acceleray.report.formats import printable
from acceleray.report.rows import Reads
from acceleray.tables import (
    ACTIVE_CONTRIBUTIONS,
    ACTIVE_RISK,
    BACKTEST_VERDICTS,
    GROUP_RISK,
    LIMIT_UTILISATION,
    LIVE_RECORD,
    PORTFOLIO_LIQUIDITY,
    PORTFOLIOS,
    POSITION_LIQUIDITY,
    POSITION_RISK,
    POSITIONS,
    RISK_CHANGE,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    STRESS_LOSSES,
    STRESS_SCENARIOS,
    Table,
)
from acceleray.whole_files import made_whole

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

TABLES = (
    PORTFOLIOS,
    RISK_MEASURES,
    POSITIONS,
    POSITION_RISK,
    PORTFOLIO_LIQUIDITY,
    POSITION_LIQUIDITY,
    RISK_CONTRIBUTIONS,
    GROUP_RISK,
    ACTIVE_RISK,
    ACTIVE_CONTRIBUTIONS,
    STRESS_SCENARIOS,
    STRESS_LOSSES,
    LIMIT_UTILISATION,
    RISK_CHANGE,
    BACKTEST_VERDICTS,
    LIVE_RECORD,
)

# A sheet has room for 2**20 rows, one of them the header.
MOST_ROWS = 1_000_000
_BATCH = 10_000
_LONGEST_TEXT = 32_767


def write(read: Reads, overview: Overview, path: Path) -> Path:
    """Write the overview and every table of a run to `path`, whole or not at all, and return the path.

    Of a book of more portfolios than have pages, positions and their risk are those of the ones with pages;
    the first sheet says so.

    Raises:
        PortfolioError: the file cannot be written.
    """
    import xlsxwriter

    options = {
        # A row at a time: memory does not grow with the sheet.
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    try:
        with made_whole(path) as scratch, xlsxwriter.Workbook(str(scratch), options) as book:
            _sheets(book, read, overview)
    except (OSError, xlsxwriter.exceptions.FileCreateError) as error:
        raise PortfolioError(f"{path} cannot be written: {error}") from None
    return path


def overview_rows(overview: Overview) -> Iterator[tuple[str, Any]]:
    """Yield name and values of each column of the overview."""
    lines = overview.lines
    yield "portfolio_id", [line.portfolio_id for line in lines]
    yield "name", [line.name for line in lines]
    yield "parent_id", [line.parent_id for line in lines]
    yield "nav", [line.nav for line in lines]
    yield "currency", [line.currency for line in lines]
    yield "gross_exposure_pct_nav", [line.gross_pct for line in lines]
    yield "net_exposure_pct_nav", [line.net_pct for line in lines]
    for name, of, horizon_d in (("var", "var", overview.var_horizon_d), ("es", "es", overview.es_horizon_d)):
        losses = [getattr(line, of) for line in lines]
        yield f"{name}_{horizon_d}d_pct_nav", [loss and loss.pct_nav for loss in losses]
        yield f"{name}_{horizon_d}d", [loss and loss.value for loss in losses]
    yield "var_change_pct_nav", [line.var_change_pct for line in lines]
    yield "worst_stress_pct_nav", [line.stress and line.stress.pct_nav for line in lines]
    yield "worst_stress", [line.stress and line.stress.title for line in lines]
    yield "limit_utilisation_pct", [line.used and line.used.pct for line in lines]
    yield "limit_state", [line.used and line.used.state for line in lines]
    yield "limits_not_evaluated", [line.used and line.used.not_evaluated for line in lines]
    yield "backtest", [line.backtest for line in lines]
    yield "unpriced_pct_nav", [line.left_out.unpriced_pct for line in lines]
    yield "not_modelled_pct_nav", [line.left_out.not_modelled_pct for line in lines]
    yield "positions_without_value", [line.left_out.unknown for line in lines]
    yield "proxied_pct_nav", [line.left_out.proxied_pct for line in lines]


def _sheets(book: Workbook, read: Reads, overview: Overview) -> None:
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    about = book.add_worksheet("about")
    overall = book.add_worksheet("overview")
    columns = list(overview_rows(overview))
    _head(overall, [name for name, _ in columns], bold)
    for place, row in enumerate(zip(*(values for _, values in columns), strict=True), 1):
        _row(overall, place, row, day, moment)
    portfolios = read(PORTFOLIOS).to_pylist()
    portfolios.sort(key=lambda row: (row["place"] is None, row["place"] or 0, row["portfolio_id"]))
    some = looked_into(portfolios)
    notes = [line for line in (overview.missing, overview.proxies) if line]
    if len(some) < len(portfolios):
        notes.append(
            f"Positions and their risk are of {len(some)} of {len(portfolios)} portfolios, those with a page."
        )
    for table in TABLES:
        notes += _table(book, read, table, some, len(some) < len(portfolios), (bold, day, moment))
    for place, line in enumerate(["A loss is a positive number.", *notes]):
        about.write_string(place, 0, _text(line))


def _table(
    book: Workbook, read: Reads, table: Table, some: list[str], narrow: bool, formats: tuple[Format, ...]
) -> list[str]:
    """Write one table to a sheet of its name; return what the first sheet has to say about it."""
    bold, day, moment = formats
    large = "instrument_id" in table.column_names and "portfolio_id" in table.column_names
    rows = read(table, portfolio_id=some) if large and narrow else read(table)
    if not rows.num_rows:
        return []
    rows = rows.sort_by([(name, "ascending") for name in table.key])
    sheet = book.add_worksheet(table.name[:31])
    _head(sheet, table.column_names, bold)
    sheet.freeze_panes(1, 0)
    place = 0
    for batch in rows.slice(0, MOST_ROWS).to_batches(max_chunksize=_BATCH):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            place += 1
            _row(sheet, place, row, day, moment)
    if rows.num_rows > MOST_ROWS:
        return [f"{table.label}: the first {MOST_ROWS:,} of {rows.num_rows:,} rows."]
    return []


def _head(sheet: Worksheet, names: tuple[str, ...] | list[str], bold: Format) -> None:
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, bold)


def _row(sheet: Worksheet, place: int, row: tuple[Any, ...], day: Format, moment: Format) -> None:
    for column, value in enumerate(row):
        if isinstance(value, bool):
            sheet.write_boolean(place, column, value)
        elif isinstance(value, int | float):
            if math.isfinite(value):
                sheet.write_number(place, column, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(place, column, value.replace(tzinfo=None), moment)
        elif isinstance(value, date):
            sheet.write_datetime(place, column, datetime(value.year, value.month, value.day), day)
        elif value is not None:
            # Always as text: a name that begins with = is a name.
            sheet.write_string(place, column, _text(value))


def _text(value: object) -> str:
    return printable(value)[:_LONGEST_TEXT]
