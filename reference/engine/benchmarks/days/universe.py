"""A universe as files: prices without their last day and with it, and a book of sparse portfolios."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from skfolio.datasets import load_sp500_dataset

from acceleray.quant.universe import Plan, market_path, one_factor_model, price_path
from acceleray.stages.ingest.sample import reference_rates
from acceleray.stages.ingest.simulated import business_days, instrument_name

DAYS_A_YEAR = 252
SEED = 20260101
# As in the settings of a simulated universe.
_TRANSIENT_SHARE, _HALF_LIFE_D = 0.2, 10.0
# Portfolios of a desk; only desks have no parent, and only those are backtested of a large book.
_OF_A_DESK = 500
# Files of a book, and the settings that name them.
_BOOK = {"positions": "path", "portfolios": "portfolios_path", "instruments": "instruments_path"}


@dataclass(frozen=True)
class Size:
    """How large one universe is, and what its runs are set to besides.

    Attributes:
        name: in tables and on the command line.
        instruments: with prices on every day.
        days: of prices, the last one included.
        portfolios: none for the sample's own book.
        lines: holdings of each portfolio.
        settings: of the form `section.key=value`.
    """

    name: str
    instruments: int
    days: int
    portfolios: int = 0
    lines: int = 0
    settings: tuple[str, ...] = ()

    @property
    def prices(self) -> int:
        """Return how many prices there are on day 2."""
        return self.instruments * self.days


def _years(instruments: int, years: int, portfolios: int, *settings: str) -> Size:
    lines = min(100, instruments // 2)
    days = years * DAYS_A_YEAR
    return Size(f"{instruments}x{years}y", instruments, days, portfolios, lines, settings)


_FEWER = "simulation.scenarios=20000"
# All scenarios of thousands of lines are stored, half a gigabyte: in memory, and not on disk.
_STORED = "ray.object_store_mb=768"
# Twenty names and three exchange rates, with the book that goes with them.
SAMPLE = Size("sample", 23, 8_313)
_TINY = (
    *("market_data.minimum_history_d=500", "factors.source=none", "simulation.scenarios=2000"),
    *("calibration.window_d=500", "calibration.first_fit_d=500", "calibration.refit_every_d=100"),
    *("calibration.minimum_history_d=300", "simulation.residual_window_d=500"),
    *("train.folds=2", "train.minimum_train_d=300", "train.minimum_rank_ic=-1", "model.rounds=10"),
    *("leakage.maximum_rank_ic=0.9", "ray.object_store_mb=128"),
)
# A large book on short histories: what positions cost, without what years of prices cost.
WIDE = Size("3000x600d", 3_000, 600, 10_000, 100, (*_TINY[:-1], _FEWER, _STORED))
SIZES = (
    SAMPLE,
    WIDE,
    _years(100, 10, 300),
    _years(500, 10, 1_000),
    _years(3_000, 10, 10_000, _FEWER, _STORED),
    _years(100, 20, 300),
    _years(500, 20, 1_000),
    _years(3_000, 20, 10_000, _FEWER, _STORED),
)
SMALL = (Size("6x600d", 6, 600, 6, 3, _TINY), Size("12x600d", 12, 600, 12, 3, _TINY))


class Universe:
    """The files of one size in a folder; the days replace one file of prices, as a data vendor would."""

    def __init__(self, size: Size, folder: Path, kind: str = "parquet") -> None:
        """Make all prices, and write the book; `kind` of the prices is csv or parquet."""
        self.size = size
        self.path = folder / f"prices.{kind}"
        self._dates, self._names, self._prices = _sample() if size is SAMPLE else _simulated(size)
        self._book = _write_book(size, self._names, folder) if size.portfolios else _sample_book(folder)

    @property
    def settings(self) -> tuple[str, ...]:
        """Return what a run in this universe is set to."""
        prices = ("market_data.source=csv", "market_data.name=day", f"market_data.path={self.path}")
        return (*prices, *self._book, *self.size.settings)

    def write_day(self, day: int) -> None:
        """Write the prices of day 1, all but the last date, or of day 2, all of them."""
        end = len(self._dates) - (2 - day)
        # What is not a number is an empty cell.
        columns = {
            name: pa.array(self._prices[:end, at], from_pandas=True) for at, name in enumerate(self._names)
        }
        table = pa.table({"date": pa.array(self._dates[:end]), **columns})
        (csv.write_csv if self.path.suffix == ".csv" else pq.write_table)(table, self.path)


def _sample() -> tuple[NDArray[np.datetime64], list[str], NDArray[np.float64]]:
    prices = load_sp500_dataset().join(reference_rates(), how="left")
    return prices.index.to_numpy().astype("datetime64[D]"), list(prices.columns), prices.to_numpy()


def _simulated(size: Size) -> tuple[NDArray[np.datetime64], list[str], NDArray[np.float64]]:
    model = one_factor_model(load_sp500_dataset().to_numpy())
    plan = Plan(size.days, _TRANSIENT_SHARE, _HALF_LIFE_D, SEED)
    market = market_path(model, plan)
    prices = np.empty((size.days, size.instruments), order="F")
    for number in range(size.instruments):
        prices[:, number] = np.round(price_path(model, plan, market, number), 6)
    return business_days(size.days), [instrument_name(number) for number in range(size.instruments)], prices


def _sample_book(folder: Path) -> tuple[str, ...]:
    """Write the sample's own book as files: with prices of a file it is not taken by itself."""
    settings = ["book.source=csv"]
    for name, setting in _BOOK.items():
        content = (resources.files("acceleray.stages.book") / "sample" / f"{name}.csv").read_bytes()
        (folder / f"{name}.csv").write_bytes(content)
        settings.append(f"book.{setting}={folder / name}.csv")
    return tuple(settings)


def _write_book(size: Size, names: list[str], folder: Path) -> tuple[str, ...]:
    """Write portfolios and their holdings; return what a run must be told to find them."""
    generator = np.random.default_rng(SEED)
    weights = np.round(generator.dirichlet(np.ones(size.lines), size.portfolios), 6)
    held = np.array(
        [generator.choice(size.instruments, size.lines, replace=False) for _ in range(size.portfolios)]
    )
    portfolios = [f"P{number:05d}" for number in range(size.portfolios)]
    desks = [f"DESK{number:02d}" for number in range(-(-size.portfolios // _OF_A_DESK))]
    holdings = {
        "portfolio_id": np.repeat(portfolios, size.lines),
        "instrument_id": np.array(names)[held.ravel()],
        "weight": weights.ravel(),
    }
    parents = {
        "portfolio_id": desks + portfolios,
        "parent_id": [""] * len(desks) + [desks[at // _OF_A_DESK] for at in range(size.portfolios)],
    }
    csv.write_csv(pa.table(holdings), folder / "positions.csv")
    csv.write_csv(pa.table(parents), folder / "portfolios.csv")
    return (
        *("book.source=csv", f"book.path={folder / 'positions.csv'}"),
        f"book.portfolios_path={folder / 'portfolios.csv'}",
    )
