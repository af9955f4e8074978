"""One volatility model per instrument: what was fitted, how well, and what could not be fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from acceleray.report.formats import printable
from acceleray.report.rows import Read
from acceleray.tables import CALIBRATION

TRADING_DAYS_A_YEAR = 252
SHOWN_INSTRUMENTS = 40
PARAMETERS = ("mu", "omega", "alpha", "gamma", "beta", "nu")
# Parameters that are well above zero in a sound fit. The others may rightly be near it, where the size of a
# standard error against them says nothing.
_AWAY_FROM_ZERO = ("omega", "beta", "nu")


@dataclass(frozen=True)
class Calibrated:
    """One fitted instrument; volatilities are daily, in per cent.

    `parameters` and `errors` are those of the table by name, NaN where there are none.
    """

    instrument: str
    observations: int
    persistence: float
    half_life_d: float
    nu: float
    at_bound: str
    converged: bool
    starts: int
    next_volatility_pct: float
    average_volatility_pct: float
    filled_pct: float
    parameters: dict[str, float]
    errors: dict[str, float]
    previous_fitted_on: date | None
    # Log of the volatility forecast over that of the scheduled fit before; None without one.
    drift: float | None

    @property
    def annual_volatility_pct(self) -> float:
        """Return next-day volatility times the square root of 252."""
        return self.next_volatility_pct * math.sqrt(TRADING_DAYS_A_YEAR)

    @property
    def widest(self) -> tuple[str, float]:
        """Return the parameter with the largest standard error for its size, and that ratio.

        Among omega, beta and nu, those at a bound left out; the name is empty where there is no ratio.
        """
        bounds = {part.strip() for part in self.at_bound.split(",")}
        ratios = [
            (self.errors[name] / abs(self.parameters[name]), name)
            for name in _AWAY_FROM_ZERO
            if name not in bounds and self.parameters[name]
        ]
        finite = [pair for pair in ratios if math.isfinite(pair[0])]
        ratio, name = max(finite, default=(math.nan, ""))
        return name, ratio


@dataclass(frozen=True)
class Rejected:
    """One instrument without a model, and why: rejected for its data, or failed because no model fits."""

    instrument: str
    status: str
    observations: int
    reason: str


@dataclass(frozen=True)
class Fits:
    """All instruments: the fitted ones most volatile first; the others, failed before rejected, by name."""

    fitted: tuple[Calibrated, ...]
    rejected: tuple[Rejected, ...]

    @property
    def total(self) -> int:
        """Return the number of instruments that were tried."""
        return len(self.fitted) + len(self.rejected)

    @property
    def failed(self) -> int:
        """Return how many instruments no model fits, though their data are good enough."""
        return sum(1 for row in self.rejected if row.status == "failed")

    @property
    def at_bound(self) -> int:
        """Return how many fits have a parameter at a bound."""
        return sum(1 for fit in self.fitted if fit.at_bound)

    @property
    def not_converged(self) -> int:
        """Return how many kept fits did not converge."""
        return sum(1 for fit in self.fitted if not fit.converged)


def gather(read: Read) -> Fits:
    """Return what was fitted, most volatile first, and what was not."""
    fitted = []
    rejected = []
    for row in read(CALIBRATION).to_pylist():
        if row["status"] == "calibrated":
            fitted.append(_calibrated(row))
        else:
            name, status = printable(row["instrument_id"]), printable(row["status"])
            rejected.append(Rejected(name, status, row["observations"], printable(row["reason"])))
    # A fit without a forecast is not the most volatile one.
    fitted.sort(key=lambda fit: (-_or_zero(fit.next_volatility_pct), fit.instrument))
    rejected.sort(key=lambda row: (row.status != "failed", row.instrument))
    return Fits(tuple(fitted), tuple(rejected))


def _calibrated(row: dict[str, Any]) -> Calibrated:
    persistence = _float(row["persistence"])
    return Calibrated(
        instrument=printable(row["instrument_id"]),
        observations=row["observations"],
        persistence=persistence,
        # The table keeps no infinite numbers: at persistence one the half-life is left empty.
        half_life_d=math.inf if persistence >= 1 else _float(row["half_life_d"]),
        nu=_float(row["nu"]),
        at_bound=printable(row["at_bound"]),
        converged=row["converged"],
        starts=row["starts"],
        next_volatility_pct=100 * _float(row["next_sigma"]),
        # The variance the fit starts from is that of all returns; the model's own long run
        # does not exist at persistence one.
        average_volatility_pct=100 * math.sqrt(_float(row["initial_variance"])),
        filled_pct=100 * _float(row["filled_share"]),
        parameters={name: _float(row[name]) for name in PARAMETERS},
        errors={name: _float(row[f"{name}_se"]) for name in PARAMETERS},
        previous_fitted_on=row["previous_fitted_on"],
        drift=row["volatility_drift"],
    )


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _or_zero(value: float) -> float:
    return value if math.isfinite(value) else 0.0
