"""Other series, rates or volumes, read by the price reader from a separate source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.book import Fx
from acceleray.settings.desk import Liquidity
from acceleray.stages.ingest.delta_table import newest
from acceleray.stages.ingest.frame import from_frame
from acceleray.stages.ingest.grouped import cells_here
from acceleray.stages.ingest.reading.delivery import deliver
from acceleray.stages.ingest.reading.wishes import Wishes
from acceleray.stages.ingest.received import refuse_dates


@dataclass(frozen=True)
class OtherSeries:
    """Series as received: how messages name the source, cells by name, how it was read, and rows left out.

    `left_out` is empty where every row was taken.
    """

    origin: str
    cells: dict[str, pa.Table]
    understood: str
    left_out: str = ""

    @property
    def title(self) -> str:
        """Return `origin` as the beginning of a sentence."""
        return self.origin[:1].upper() + self.origin[1:]


def read_series(
    spark: SparkSession, settings: Settings, of: Fx | Liquidity, section: str, things: str, price: str = ""
) -> OtherSeries:
    """Return the series of a section of the settings.

    Args:
        spark: reads tables.
        settings: of the run.
        of: the section.
        section: its name, for messages.
        things: what the series are, for messages.
        price: the column of numbers, where neither the settings nor the names of columns say it.

    Raises:
        PortfolioError: there is nothing to read, it cannot be read as prices are, or dates are not unique.
    """
    columns = {key: name for key, name in of.columns.model_dump().items() if name}
    if price and "price" not in columns:
        columns["price"] = price
    wishes = Wishes(columns, of.decimal)
    with messages_of(section, things):
        if of.source == "csv":
            found = deliver(path_of(settings, of, section, things), wishes)
            first, second = found.understood
            return OtherSeries(found.origin, dict(found.by_instrument()), first, second.partition("; ")[2])
        frame = newest(spark, settings, of.table, f"{section}.table")
        received = from_frame(f"table {of.table}", frame, of.table.split(".")[-1], wishes)
        refuse_dates(received)
        rows = cells_here(received.prices)
    rows = rows.filter(pc.is_valid(rows["price_text"]))
    names = sorted(pc.unique(rows["instrument_id"]).to_pylist())
    cells = {name: rows.filter(pc.equal(rows["instrument_id"], name)) for name in names}
    first, second = received.understood
    return OtherSeries(received.origin, cells, first, second.partition("; ")[2])


def path_of(settings: Settings, of: Fx | Liquidity, section: str, things: str) -> Path:
    """Return the path that a section names.

    Raises:
        PortfolioError: it names none.
    """
    if not of.path:
        raise PortfolioError(f"{section}.source is csv: set {section}.path to a file of {things}.")
    return settings.project_dir / Path(of.path).expanduser()


@contextmanager
def messages_of(section: str, things: str) -> Iterator[None]:
    """Let what the reader of prices refuses speak of another section, whose settings have the same names."""
    try:
        yield
    except PortfolioError as refusal:
        message = str(refusal).replace("market_data.", f"{section}.")
        raise PortfolioError(message.replace("file of prices", f"file of {things}")) from None
