"""Prices that somebody edits from morning to morning: new days, corrections, new and ended instruments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from acceleray.stages.ingest.shipped import sample_prices

NAMES = ("AAPL", "JPM", "PFE", "WMT", "XOM")
# Listed later; they come into the middle of the columns, not behind them.
FURTHER = ("BAC", "KO", "MRK")
YEAR_D = 252


@dataclass
class Market:
    """A slice of real prices that ends some days before the data does, so that days can be added.

    Attributes:
        days: prices of each instrument, up to the last day.
        left: days that are still to come.
        names: instruments with prices.
        ended: instruments, and the row of their first day without a price.
        corrected: factors on the price of an instrument in a row.
    """

    days: int
    left: int
    names: list[str] = field(default_factory=lambda: list(NAMES))
    ended: dict[str, int] = field(default_factory=dict)
    corrected: dict[tuple[str, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the last days of the sample."""
        self._all = sample_prices().iloc[-(self.days + self.left) :]

    def append(self, days: int) -> None:
        """Let days pass."""
        assert days <= self.left, "the sample has no more days"
        self.days, self.left = self.days + days, self.left - days

    def correct(self, name: str, row: int, factor: float) -> None:
        """Correct a price, as a vendor would: it moves two returns."""
        self.corrected[name, row] = factor

    def add(self, name: str) -> None:
        """Add an instrument with its whole history."""
        self.names = sorted([*self.names, name])

    def end(self, name: str, days: int = 0) -> None:
        """Let an instrument have no price any more, and none on the last days."""
        self.ended[name] = self.days - days

    def write(self, path: Path) -> Path:
        """Write what there is, as a wide CSV file."""
        prices = self._all.iloc[: self.days][self.names].copy()
        for (name, row), factor in self.corrected.items():
            prices.iloc[row, prices.columns.get_loc(name)] *= factor
        for name, row in self.ended.items():
            prices.iloc[row:, prices.columns.get_loc(name)] = np.nan
        prices.index = pd.Index([str(day)[:10] for day in prices.index], name="date")
        prices.to_csv(path, lineterminator="\n")
        return path


@dataclass(frozen=True)
class Morning:
    """What happened overnight: the edit in words, and the settings and the code of the run.

    `code` is what the digest of the code is mixed with; `settings` have the form `section.key=value`.
    """

    edit: str
    settings: tuple[str, ...] = ()
    code: str = ""


SETTINGS = (
    "market_data.stale_after_d=4",
    "calibration.window_d=300",
    "risk.var_confidence=0.98",
    "simulation.residual_window_d=320",
    "backtest.minimum_covered_share=0.8",
)

# Of one day, five days, a correction, a new and an ended instrument, a setting, other code.
ODDS = (0.25, 0.15, 0.2, 0.12, 0.1, 0.1, 0.08)


def overnight(market: Market, before: Morning, generator: np.random.Generator) -> Morning:
    """Edit a market at random, or what runs on it; return what happened."""

    def append(days: int) -> Morning:
        market.append(days)
        return Morning(f"{days} days appended", before.settings, before.code)

    def correct() -> Morning:
        name = str(generator.choice([name for name in NAMES if name not in market.ended]))
        row = market.days - int(generator.integers(YEAR_D, market.days - 50))
        market.correct(name, row, factor := 1.0 + 0.01 * float(generator.uniform(0.1, 1.0)))
        return Morning(f"{name} corrected by {factor:.4f} in row {row}", before.settings, before.code)

    def add() -> Morning:
        new = [name for name in FURTHER if name not in market.names]
        if not new:
            return append(1)
        market.add(name := str(generator.choice(new)))
        return Morning(f"{name} added", before.settings, before.code)

    def end() -> Morning:
        alive = [name for name in market.names if name not in market.ended]
        if len(alive) <= 4:
            return append(1)
        market.end(name := str(generator.choice(alive)), int(generator.integers(0, 8)))
        return Morning(f"{name} ended before row {market.ended[name]}", before.settings, before.code)

    def set_one() -> Morning:
        new = [one for one in SETTINGS if one not in before.settings]
        if not new:
            return Morning("settings as at first", (), before.code)
        setting = str(generator.choice(new))
        return Morning(f"{setting} set", (*before.settings, setting), before.code)

    def program() -> Morning:
        return Morning("the code of fits changed", before.settings, before.code + "x")

    edits: tuple[Callable[[], Morning], ...] = (
        *(lambda: append(1), lambda: append(5), correct, add, end, set_one, program),
    )
    return edits[int(generator.choice(len(edits), p=ODDS))]()
