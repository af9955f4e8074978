"""Common drivers of instruments: exposures to factors, and moves of factors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from acceleray.report.formats import months_between, printable
from acceleray.report.rows import Read
from acceleray.tables import (
    ENDED_FACTOR_BETAS,
    ENDED_FACTOR_COVARIANCES,
    FACTOR_BETAS,
    FACTOR_COVARIANCES,
    Table,
)

SHOWN_INSTRUMENTS = 40
# Below this a beta cannot be told from zero at about 5 %.
SIGNIFICANT_T = 2.0


@dataclass(frozen=True)
class Beta:
    """Exposure to one factor; NaN where it was not estimated."""

    value: float
    t: float

    @property
    def tint(self) -> str:
        """Return how strongly the cell is coloured: `` (cannot be told from zero), p1 to p3 or n1 to n3."""
        if not abs(self.t) >= SIGNIFICANT_T:
            return ""
        strength = 1 + (abs(self.t) >= 4) + (abs(self.t) >= 8)
        return f"{'p' if self.value > 0 else 'n'}{strength}"


@dataclass(frozen=True)
class Exposure:
    """One instrument: a beta for each factor, and what factors leave unexplained."""

    instrument: str
    betas: tuple[Beta, ...]
    r_squared: float
    specific_volatility_pct: float
    months: int
    window: str


@dataclass(frozen=True)
class Factor:
    """One factor: volatility of a month in its own unit, and correlation with every factor in their order."""

    name: str
    volatility: float
    correlations: tuple[float, ...]
    months: int
    window: str


@dataclass(frozen=True)
class Factors:
    """The factors of one model, and all instruments: those with an exposure, the least explained first.

    `with_ended` are those of the model that has the factors whose data has ended too, if there is one.
    """

    names: tuple[str, ...]
    exposures: tuple[Exposure, ...]
    # Instruments without any beta, each with the reason.
    missing: tuple[tuple[str, str], ...]
    factors: tuple[Factor, ...]
    with_ended: Factors | None = None

    @property
    def ended(self) -> tuple[str, ...]:
        """Return the factors whose data has ended."""
        return () if self.with_ended is None else tuple(sorted({*self.with_ended.names} - {*self.names}))

    @property
    def weak(self) -> int:
        """Return how many betas cannot be told from zero."""
        return sum(1 for line in self.exposures for beta in line.betas if abs(beta.t) < SIGNIFICANT_T)

    @property
    def estimated(self) -> int:
        """Return how many betas have a t-value."""
        return sum(1 for line in self.exposures for beta in line.betas if math.isfinite(beta.t))


def gather(read: Read) -> Factors:
    """Return betas with their t-values by instrument, and the factors' own volatilities and correlations."""
    wide = _gather(read, ENDED_FACTOR_BETAS, ENDED_FACTOR_COVARIANCES)
    return replace(_gather(read, FACTOR_BETAS, FACTOR_COVARIANCES), with_ended=wide if wide.names else None)


def _gather(read: Read, betas: Table, covariances: Table) -> Factors:
    rows = read(betas).to_pylist()
    names = sorted({row["factor_id"] for row in rows})
    by_instrument: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_instrument.setdefault(row["instrument_id"], {})[row["factor_id"]] = row
    exposures, missing = [], []
    for instrument, found in by_instrument.items():
        # R squared is of all factors together and stands in each of their rows.
        any_row = found[min(found)]
        if all(row["beta"] is None for row in found.values()):
            missing.append((printable(instrument), printable(any_row["reason"])))
            continue
        exposures.append(
            Exposure(
                printable(instrument),
                tuple(_beta(found.get(name)) for name in names),
                _float(any_row["r_squared"]),
                100 * _float(any_row["specific_volatility"]),
                int(str(any_row["months"])),
                months_between(any_row["first_month"], any_row["last_month"]),
            )
        )
    exposures.sort(key=lambda line: (_or_lowest(line.r_squared), line.instrument))
    return Factors(
        tuple(printable(name) for name in names),
        tuple(exposures),
        tuple(sorted(missing)),
        _factors(read, covariances),
    )


def _factors(read: Read, table: Table) -> tuple[Factor, ...]:
    rows = {(row["factor_id"], row["other_factor_id"]): row for row in read(table).to_pylist()}
    names = sorted({name for pair in rows for name in pair})
    found = []
    for name in names:
        own = rows.get((name, name))
        # The table may hold each pair once or twice.
        pairs = [rows.get((name, other)) or rows.get((other, name)) for other in names]
        found.append(
            Factor(
                printable(name),
                math.sqrt(own["covariance"]) if own and own["covariance"] >= 0 else math.nan,
                tuple(_float(pair["correlation"]) if pair else math.nan for pair in pairs),
                own["months"] if own else 0,
                months_between(own["first_month"], own["last_month"]) if own else "n/a",
            )
        )
    return tuple(found)


def _beta(row: dict[str, object] | None) -> Beta:
    if row is None:
        return Beta(math.nan, math.nan)
    value, error = _float(row["beta"]), _float(row["beta_se"])
    return Beta(value, value / error if error > 0 else math.nan)


def _float(value: object) -> float:
    return math.nan if value is None else float(str(value))


def _or_lowest(value: float) -> float:
    return value if math.isfinite(value) else -1.0
