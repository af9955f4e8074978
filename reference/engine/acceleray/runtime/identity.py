"""Identity of a run, and the tables it read and wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from acceleray.settings import Settings
from acceleray.settings.sections import PRICE_SOURCES
from acceleray.tables.contract import Table


@dataclass(frozen=True)
class Identity:
    """All inputs that determine the numbers of a run; equal identities give equal numbers."""

    run_id: str
    source: str
    load_id: str
    as_of: date
    code_version: str


@dataclass(frozen=True)
class Touch:
    """One table that one stage read or wrote."""

    stage: str
    direction: str
    table: Table
    version: int
    rows: int
    fingerprint: str
    changed: bool


def source_name(settings: Settings) -> str:
    """Return the name prices are kept under.

    It is `sample`, `csv:<file name>`, `table:<table name>`, or `simulated:` and all that decides the prices:
    instruments x days, transient share, its half-life in days, and the seed. Prices of a project's own source
    are kept under its name, followed by `market_data.name` if that is set.
    """
    data, size = settings.market_data, settings.universe
    if data.source == "sample":
        return "sample"
    if data.source == "simulated":
        signal = f"{size.transient_share:g}-{size.half_life_d:g}d"
        return f"simulated:{data.name or f'{size.instruments}x{size.days}-{signal}-{settings.seed}'}"
    if data.source not in PRICE_SOURCES:
        return f"{data.source}:{data.name}" if data.name else data.source
    return f"{data.source}:{data.name or (Path(data.path).stem if data.source == 'csv' else data.table)}"
