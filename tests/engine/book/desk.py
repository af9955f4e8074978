"""A desk's files of holdings, written in a test, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.book.holdings import Holdings, Received, accept, receive_holdings

AS_OF = date(2022, 12, 28)
PRICED = ("AAPL", "MSFT", "SAP", "EURUSD")


class Desk:
    """The files of one project."""

    def __init__(self, settings: Callable[..., Settings]) -> None:
        self.settings = settings
        self.folder = settings().project_dir
        self.named: dict[str, str] = {}

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def positions(self, content: str | bytes, name: str = "positions.csv") -> Desk:
        self.named["path"] = str(self.write(name, content))
        return self

    def portfolios(self, content: str) -> Desk:
        self.named["portfolios_path"] = str(self.write("portfolios.csv", content))
        return self

    def instruments(self, content: str) -> Desk:
        self.named["instruments_path"] = str(self.write("instruments.csv", content))
        return self

    def mapped(self, content: str) -> Desk:
        self.write("conf/book.yml", content)
        return self

    def received(self) -> Received:
        return receive_holdings(self.chosen())

    def chosen(self, *more: str) -> Settings:
        return self.settings(
            "book.source=csv", *(f"book.{key}={path}" for key, path in self.named.items()), *more
        )

    def accepted(self, priced: Sequence[str] = PRICED, as_of: date = AS_OF, *more: str) -> Holdings:
        chosen = self.chosen(*more)
        return accept(receive_holdings(chosen), chosen, as_of, tuple(priced))

    def refusal(self, *more: str) -> str:
        with pytest.raises(PortfolioError) as refused:
            self.accepted(PRICED, AS_OF, *more)
        message = str(refused.value)
        assert "\n" not in message
        return message


def rows(holdings: Holdings, *names: str) -> list[tuple[Any, ...]]:
    """Return columns of the positions that count, a tuple each."""
    return [tuple(row[name] for name in names) for row in holdings.positions.to_pylist()]


def known(holdings: Holdings, instrument: str) -> dict[str, Any]:
    """Return what is known about an instrument."""
    (row,) = (row for row in holdings.instruments.to_pylist() if row["instrument_id"] == instrument)
    return row


def reasons(holdings: Holdings) -> list[str]:
    """Return why rows were left out."""
    return holdings.quarantined["reason"].to_pylist()
