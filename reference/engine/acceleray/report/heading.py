"""Heading of every page: owner, day and prices of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from acceleray.report.formats import printable
from acceleray.settings import Settings


@dataclass(frozen=True)
class Heading:
    """Who, when and from what."""

    customer: str
    project: str
    as_of: date
    # Price source as tables name it.
    source: str
    sample: bool

    @property
    def source_in_words(self) -> str:
        """Return the price source for people."""
        if self.sample:
            return "S&P 500 sample: real daily prices of companies that survived, shipped with skfolio"
        kind, _, name = self.source.partition(":")
        return {"csv": f"CSV file {name}", "table": f"Delta table {name}"}.get(kind, self.source)


def gather(row: dict[str, Any], run: dict[str, Any], settings: Settings, source: str = "") -> Heading:
    """Return the heading of a run.

    `row` is any row of the run, `run` its row in RUNS or empty, `source` what is known of it without that.
    """
    as_of = row["as_of"]
    if not isinstance(as_of, date):
        raise TypeError(f"as_of must be a date, not {as_of!r}")
    return Heading(
        customer=printable(settings.project.customer),
        project=printable(settings.project.name),
        as_of=as_of,
        source=printable(run.get("source") or source or settings.market_data.source),
        sample=settings.market_data.source == "sample",
    )
