"""Calibration diagnostics and the evidence for the signal model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from portfolio.report.formats import printable
from portfolio.report.rows import Read
from portfolio.tables import CALIBRATION, PREDICTIONS, SIGNAL_VALIDATION

TRADING_DAYS_A_YEAR = 252
SHOWN_INSTRUMENTS = 40
SHOWN_SCORES = 5
# Above this a daily rank IC on real prices is leakage until proven otherwise.
LEAKAGE_RANK_IC = 0.1


@dataclass(frozen=True)
class Calibrated:
    """One fitted instrument; volatilities are daily, in per cent."""

    instrument: str
    observations: int
    persistence: float
    half_life_d: float
    nu: float
    at_bound: str
    converged: bool
    next_volatility_pct: float
    average_volatility_pct: float
    filled_pct: float

    @property
    def annual_volatility_pct(self) -> float:
        """Return next-day volatility times the square root of 252."""
        return self.next_volatility_pct * math.sqrt(TRADING_DAYS_A_YEAR)


@dataclass(frozen=True)
class Rejected:
    """One instrument that could not be calibrated, and why."""

    instrument: str
    observations: int
    reason: str


@dataclass(frozen=True)
class Calibration:
    """All instruments: the fitted ones most volatile first, the rejected ones by name."""

    fitted: tuple[Calibrated, ...]
    rejected: tuple[Rejected, ...]

    @property
    def total(self) -> int:
        """Return the number of instruments that were tried."""
        return len(self.fitted) + len(self.rejected)

    @property
    def at_bound(self) -> int:
        """Return how many fits have a parameter at a bound."""
        return sum(1 for fit in self.fitted if fit.at_bound)

    @property
    def not_converged(self) -> int:
        """Return how many kept fits did not converge."""
        return sum(1 for fit in self.fitted if not fit.converged)


@dataclass(frozen=True)
class Signal:
    """Walk-forward evidence by fold, and the scores as of the run's date, best first."""

    folds: tuple[dict[str, Any], ...]
    scores: tuple[tuple[str, float], ...]
    feature_date: Any

    @property
    def mean_rank_ic(self) -> float:
        """Return the mean of the folds' rank IC, each fold counted once; NaN without folds."""
        values = [fold["rank_ic"] for fold in self.folds if math.isfinite(fold["rank_ic"])]
        return sum(values) / len(values) if values else math.nan

    @property
    def positive_folds(self) -> int:
        """Return the number of folds with a rank IC above zero."""
        return sum(1 for fold in self.folds if fold["rank_ic"] > 0)

    @property
    def suspicious_folds(self) -> tuple[int, ...]:
        """Return the folds whose rank IC is too good to be true."""
        return tuple(fold["fold"] for fold in self.folds if fold["rank_ic"] > LEAKAGE_RANK_IC)

    @property
    def best(self) -> tuple[tuple[str, float], ...]:
        """Return the highest scores, or all of them if there are few."""
        few = len(self.scores) <= 2 * SHOWN_SCORES
        return self.scores if few else self.scores[:SHOWN_SCORES]

    @property
    def worst(self) -> tuple[tuple[str, float], ...]:
        """Return the lowest scores, lowest last; empty if all are among the best."""
        return () if len(self.scores) <= 2 * SHOWN_SCORES else self.scores[-SHOWN_SCORES:]


def calibration(read: Read) -> Calibration:
    """Return what was fitted, most volatile first, and what was not."""
    fitted = []
    rejected = []
    for row in read(CALIBRATION).to_pylist():
        name = printable(row["instrument_id"])
        if row["status"] != "calibrated":
            rejected.append(Rejected(name, row["observations"], printable(row["reason"])))
            continue
        persistence = _float(row["persistence"])
        fitted.append(
            Calibrated(
                name,
                row["observations"],
                persistence,
                # The table keeps no infinite numbers: at persistence one the half-life is left empty.
                math.inf if persistence >= 1 else _float(row["half_life_d"]),
                _float(row["nu"]),
                printable(row["at_bound"]),
                row["converged"],
                100 * _float(row["next_sigma"]),
                # The variance the fit starts from is that of all returns; the model's own long run
                # does not exist at persistence one.
                100 * math.sqrt(_float(row["initial_variance"])),
                100 * _float(row["filled_share"]),
            )
        )
    fitted.sort(key=lambda fit: (-fit.next_volatility_pct, fit.instrument))
    return Calibration(tuple(fitted), tuple(sorted(rejected, key=lambda row: row.instrument)))


def signal(read: Read) -> Signal:
    """Return the evidence by fold and the scores, highest first."""
    folds = sorted(read(SIGNAL_VALIDATION).to_pylist(), key=lambda fold: fold["fold"])
    predictions = read(PREDICTIONS).to_pylist()
    scores = sorted(
        ((printable(row["instrument_id"]), row["score"]) for row in predictions),
        key=lambda item: (-item[1], item[0]),
    )
    newest = max((row["feature_date"] for row in predictions), default=None)
    return Signal(tuple(folds), tuple(scores), newest)


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
