"""Take levels of risk factors in: from the data sets that ship with skfolio and arch, or from a wide CSV.

Factor files are small and kept by hand, so one bad cell refuses the whole file with its line number. Prices
come by the million from elsewhere; there, a bad cell is quarantined instead.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.quality import PLAIN_NUMBER
from acceleray.stages.ingest.received import ISO_DATE
from acceleray.stages.ingest.shipped import bond_yields, oil_prices, sample_index
from acceleray.stages.ingest.wide_file import Kind, open_wide
from acceleray.tables import FACTORS
from acceleray.tables.stress import MONTHLY_MEAN

_LEVELS = Kind("factors.path", "factor levels", "factors", "per factor")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_POINTS = "percentage points"
# The factor that others are measured against: an index, whose log changes are returns.
_EQUITY = "equity"
_DAY = "day"


@dataclass(frozen=True)
class _Level:
    factor_id: str
    day: date
    level: float
    unit: str
    origin: str
    sampling: str = _DAY


def ingest_factors(run: Run) -> str:
    """Commit silver.factors of the run's price source; return a SHA-256 over the levels.

    A source of none commits no rows, so that levels of an earlier run are gone. The hash does not depend on
    the order of lines or columns.

    Raises:
        PortfolioError: the file cannot be read, a column is not named like a factor, a date is not one or is
            there twice, or a level is not a number, or not above zero for a factor that is not in points.
    """
    settings = run.settings
    if _EQUITY in settings.factors.points:
        raise PortfolioError("factors.points names equity, which must be an index level; take it out.")
    levels = sorted(_received(settings), key=lambda row: (row.factor_id, row.day))
    run.commit(
        FACTORS,
        pa.table(
            {
                "factor_id": pa.array([row.factor_id for row in levels], pa.string()),
                "date": pa.array([row.day for row in levels], pa.date32()),
                "level": pa.array([row.level for row in levels], pa.float64()),
                "unit": pa.array([row.unit for row in levels], pa.string()),
                "origin": pa.array([row.origin for row in levels], pa.string()),
                "sampling": pa.array([row.sampling for row in levels], pa.string()),
            }
        ),
    )
    # The shortest text that reads back to the same number.
    cells = [
        (row.factor_id, row.day.isoformat(), repr(row.level), row.unit, row.origin, row.sampling)
        for row in levels
    ]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _received(settings: Settings) -> Iterator[_Level]:
    if settings.factors.source == "csv":
        return _from_csv(settings)
    return _from_sample() if settings.factors.source == "sample" else iter(())


def _from_sample() -> Iterator[_Level]:
    yield from _series(_EQUITY, sample_index(), "index", "S&P 500 (skfolio)")
    yield from _series("oil", oil_prices(), "USD a barrel", "WTI spot, FRED DCOILWTICO (arch)")
    yields = bond_yields()
    # Published with two decimals, so the difference has no more.
    spread = (yields["BAA"] - yields["AAA"]).round(2)
    # A row carries the first of a month and the mean of that month, which is known once the month is over.
    spread.index = spread.index + pd.offsets.MonthEnd(1)
    origin = "Moody's BAA less AAA yield, monthly mean (arch)"
    yield from _series("credit", spread, _POINTS, origin, MONTHLY_MEAN)


def _series(
    factor_id: str, levels: pd.Series, unit: str, origin: str, sampling: str = _DAY
) -> Iterator[_Level]:
    for day, level in levels.dropna().items():
        yield _Level(factor_id, day.date(), float(level), unit, origin, sampling)


def _from_csv(settings: Settings) -> Iterator[_Level]:
    if not settings.factors.path:
        raise PortfolioError("factors.source is csv: set factors.path to a CSV file of factor levels.")
    path = settings.project_dir / Path(settings.factors.path).expanduser()
    file = open_wide(path, _LEVELS)
    names = {at: name for at, name in enumerate(file.columns) if at != file.date_at}
    for name in names.values():
        if not _NAME.fullmatch(name):
            raise PortfolioError(
                f"Column '{name}' of {path} is not the name of a factor; use small letters, digits and _."
            )
    seen: dict[date, int] = {}
    found = False
    for line, cells in file.lines:
        day = _day(path, line, cells[file.date_at])
        if day in seen:
            raise PortfolioError(f"Line {line} of {path} has {day} again, after line {seen[day]}; keep one.")
        seen[day] = line
        for at, name in names.items():
            if text := cells[at].strip():
                points = name in settings.factors.points
                level = _number(path, line, name, text, points)
                found = True
                sampling = MONTHLY_MEAN if name in settings.factors.monthly_means else _DAY
                yield _Level(name, day, level, _POINTS if points else "level", path.name, sampling)
    if not found:
        raise PortfolioError(f"{path} has no level; fill it in, or set factors.source to none.")


def _day(path: Path, line: int, text: str) -> date:
    if re.fullmatch(ISO_DATE, text):
        try:
            return date.fromisoformat(text.strip()[:10])
        except ValueError:
            pass
    raise PortfolioError(f"Line {line} of {path} has '{text}' for a date; write dates as 2020-12-31.")


def _number(path: Path, line: int, name: str, text: str, points: bool) -> float:
    where = f"Line {line} of {path} has '{text}' for {name}"
    number = float(text) if re.fullmatch(PLAIN_NUMBER, text) else math.nan
    if not math.isfinite(number):
        raise PortfolioError(f"{where}, which is not a number; correct it, or leave it empty.")
    if not points and number <= 0.0:
        raise PortfolioError(
            f"{where}, which is not above zero; correct it, or name {name} in factors.points if it is in "
            "percentage points."
        )
    return number
