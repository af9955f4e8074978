"""Everything the page of the signals shows, gathered from tables into one frozen object."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.multiple_testing import bonferroni
from acceleray.report import heading, lineage, quality
from acceleray.report.formats import printable
from acceleray.report.rows import Read, first, floats
from acceleray.settings import Settings
from acceleray.tables import RUNS, SIGNAL_CORRELATIONS, SIGNAL_DECAY, SIGNAL_RANKS, SIGNAL_YEARS

_NUMBERS = (
    *("rank_ic", "rank_ic_low", "rank_ic_high", "icir", "t_newey_west", "p_value"),
    *("q_benjamini_hochberg", "q_benjamini_yekutieli", "half_life_d", "quantile_spread", "turnover"),
    *("net_information_ratio", "marginal_rank_ic", "marginal_t"),
)


@dataclass(frozen=True)
class Bar:
    """An interval as a bar in a cell, in per cent of its width; `zero` and `point` are places on it."""

    left: float
    width: float
    point: float
    zero: float


@dataclass(frozen=True)
class Line:
    """One signal at one horizon; numbers by the names of the table, NaN where there is none."""

    position: int
    signal: str
    horizon_d: int
    decision: str
    reason: str
    direction: int
    dates: int
    numbers: dict[str, float]
    bar: Bar | None


@dataclass(frozen=True)
class Luck:
    """How many tests clear which bar, each bar alone and all together; `expected` is what luck gives."""

    tests: int
    alone: int
    expected: float
    hurdle: int
    bonferroni: int
    hochberg: int
    yekutieli: int
    every: int


@dataclass(frozen=True)
class Decay:
    """Rank IC with the one-day return so many days ahead, (signals, days), and the half-life of each."""

    signals: tuple[str, ...]
    ahead_d: NDArray[np.int64]
    rank_ic: NDArray[np.float64]
    half_life_d: tuple[float, ...]


@dataclass(frozen=True)
class Map:
    """Values of shape (rows, columns) with their names, NaN where there is none."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """One prioritization, ready to be drawn and written."""

    heading: heading.Heading
    settings: Settings
    simulated: bool
    lines: tuple[Line, ...]
    signals: tuple[str, ...]
    horizons_d: tuple[int, ...]
    luck: Luck
    decay: Decay
    years: Map
    years_horizon_d: int
    alike: Map
    quality: quality.Quality
    lineage: lineage.Lineage

    def decided(self, decision: str) -> tuple[Line, ...]:
        """Return the lines with a decision, in order."""
        return tuple(line for line in self.lines if line.decision == decision)


def gather(read: Read, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run ranked no signals, so there is nothing to say.
    """
    ranks = read(SIGNAL_RANKS).sort_by("position")
    row = first(ranks)
    if row is None:
        raise PortfolioError(
            "This run ranked no signals; run `portfolio run investment_signal_prioritization` first."
        )
    run = first(read(RUNS)) or {}
    prices = quality.gather(read)
    lines = _lines(ranks)
    # The best place of any horizon decides where a signal stands in figures.
    signals = tuple(dict.fromkeys(line.signal for line in lines))
    key = {"signal_id": row["signal_id"], "horizon_d": row["horizon_d"]}
    top = heading.gather(row, run, settings, prices.source)
    return Report(
        heading=top,
        settings=settings,
        simulated=top.source.startswith("simulated"),
        lines=lines,
        signals=signals,
        horizons_d=tuple(sorted({line.horizon_d for line in lines})),
        luck=_luck(lines, settings),
        decay=_decay(read(SIGNAL_DECAY), lines, signals),
        years=_years(read(SIGNAL_YEARS), signals, lines[0].horizon_d),
        years_horizon_d=lines[0].horizon_d,
        alike=_alike(read(SIGNAL_CORRELATIONS), signals),
        quality=prices,
        lineage=lineage.gather(
            read,
            run,
            row["run_id"],
            settings,
            lineage.command(SIGNAL_RANKS, row["run_id"], **key),
            prices.load_id,
        ),
    )


def _lines(ranks: pa.Table) -> tuple[Line, ...]:
    numbers = {name: floats(ranks, name) for name in _NUMBERS}
    ends = np.concatenate([numbers[name] for name in ("rank_ic_low", "rank_ic_high", "rank_ic")])
    known = np.append(ends[np.isfinite(ends)], 0.0)
    low, high = float(known.min()), float(known.max())
    lines = []
    for place, row in enumerate(ranks.to_pylist()):
        own = {name: float(values[place]) for name, values in numbers.items()}
        lines.append(
            Line(
                position=row["position"],
                signal=printable(row["signal_id"]),
                horizon_d=row["horizon_d"],
                decision=row["decision"],
                reason=printable(row["reason"]),
                direction=row["direction"],
                dates=row["dates"],
                numbers=own,
                bar=_bar(own, low, high),
            )
        )
    return tuple(lines)


def _bar(numbers: dict[str, float], low: float, high: float) -> Bar | None:
    ends = [numbers[name] for name in ("rank_ic_low", "rank_ic_high", "rank_ic")]
    if not all(math.isfinite(end) for end in ends) or not high > low:
        return None
    begin, end, point, zero = (100.0 * (value - low) / (high - low) for value in (*ends, 0.0))
    return Bar(begin, end - begin, point, zero)


def _luck(lines: tuple[Line, ...], settings: Settings) -> Luck:
    rate = settings.signals.false_discovery_rate
    p_values = np.array([line.numbers["p_value"] for line in lines])
    tests = int(np.isfinite(p_values).sum())

    def below(values: NDArray[np.float64]) -> int:
        return int((values <= rate).sum())

    def of(name: str) -> NDArray[np.float64]:
        return np.array([line.numbers[name] for line in lines])

    return Luck(
        tests=tests,
        alone=below(p_values),
        expected=rate * tests,
        hurdle=int((np.abs(of("t_newey_west")) >= settings.signals.minimum_t).sum()),
        bonferroni=below(bonferroni(p_values)),
        hochberg=below(of("q_benjamini_hochberg")),
        yekutieli=below(of("q_benjamini_yekutieli")),
        every=sum(line.decision == "use" for line in lines),
    )


def _decay(rows: pa.Table, lines: tuple[Line, ...], signals: tuple[str, ...]) -> Decay:
    names = [printable(name) for name in rows["signal_id"].to_pylist()]
    ahead_d, place = np.unique(floats(rows, "ahead_d").astype(np.int64), return_inverse=True)
    values = np.full((len(signals), ahead_d.size), math.nan)
    for name, at, rank_ic in zip(names, place, floats(rows, "rank_ic"), strict=True):
        if name in signals:
            values[signals.index(name), at] = rank_ic
    half_lives = {line.signal: line.numbers["half_life_d"] for line in lines}
    return Decay(signals, ahead_d, values, tuple(half_lives[name] for name in signals))


def _years(rows: pa.Table, signals: tuple[str, ...], horizon_d: int) -> Map:
    years = sorted(set(rows["year"].to_pylist()))
    values = np.full((len(signals), len(years)), math.nan)
    for row in rows.to_pylist():
        name = printable(row["signal_id"])
        if row["horizon_d"] == horizon_d and name in signals:
            values[signals.index(name), years.index(row["year"])] = row["rank_ic"]
    return Map(signals, tuple(str(year) for year in years), values)


def _alike(rows: pa.Table, signals: tuple[str, ...]) -> Map:
    values = np.full((len(signals), len(signals)), math.nan)
    np.fill_diagonal(values, 1.0)
    for row in rows.to_pylist():
        pair = [printable(row[name]) for name in ("signal_id", "other_signal_id")]
        if all(name in signals for name in pair) and row["rank_correlation"] is not None:
            one, other = (signals.index(name) for name in pair)
            values[one, other] = values[other, one] = row["rank_correlation"]
    return Map(signals, signals, values)
