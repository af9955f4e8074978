"""The book: where portfolios and their positions come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from acceleray.settings.market_data import Columns
from acceleray.settings.section import Section


class Fx(Section):
    """Exchange rates: series of the price source, or of separate files (`csv`) or a separate Delta `table`.

    EURUSD is the price of a euro in dollars. `pairs` names the series of a pair where its name does not say
    it (`EURUSD: DEXUSEU`); with a `base` a series named USD is what one unit of the base costs in dollars.
    `columns` and `decimal` say what the files leave open, as those of `market_data` do.
    """

    source: Literal["prices", "csv", "table"] = "prices"
    path: str = ""
    table: str = ""
    base: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    pairs: dict[str, str] = Field(default_factory=dict)
    columns: Columns = Columns()
    decimal: Literal["auto", "point", "comma"] = "auto"


class Book(Section):
    """Where positions come from: `sample`, files (`csv`), a Delta `table`, or `simulated` ones.

    `tolerance` is how far what is given twice may differ: quantity and market value of a position, positions
    and NAV of a portfolio. `nav` and `currency` are those of a portfolio that has none, and of the simulated
    book: one equal-weight reference portfolio and seeded random ones, the load of a benchmark.
    """

    source: Literal["sample", "csv", "table", "simulated"] = "sample"
    path: str = ""
    table: str = ""
    portfolios_path: str = ""
    instruments_path: str = ""
    tolerance: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    portfolios_table: str = ""
    instruments_table: str = ""
    portfolios: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    nav: Annotated[float, Field(gt=0)] = 1_000_000.0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
