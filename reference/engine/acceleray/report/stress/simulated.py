"""Simulated losses: the same measures by every method, and what the expected shortfall is made of."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.report import risk
from acceleray.report.formats import printable
from acceleray.report.rows import Read, Reads, where
from acceleray.settings import Settings
from acceleray.tables import RISK_ATTRIBUTION


@dataclass(frozen=True)
class Attribution:
    """Expected shortfall of one method and horizon in parts, % of NAV; the parts add up to the whole."""

    label: str
    horizon_d: int
    whole: float
    factor: float
    specific: float
    residual: float

    @property
    def gap(self) -> float:
        """Return how far the parts are from the whole, in % of NAV."""
        return abs(self.factor + self.specific + self.residual - self.whole)


@dataclass(frozen=True)
class Simulated:
    """All methods and horizons, the headline method first; contributions are those of `contributed_by`."""

    horizons: tuple[risk.Horizon, ...]
    contributions: tuple[risk.Contributions, ...]
    contributed_by: str
    attribution: tuple[Attribution, ...]

    @property
    def headline(self) -> tuple[risk.Horizon, ...]:
        """Return the horizons of the first method, shortest first."""
        return tuple(one for one in self.horizons if one.method == self.horizons[0].method)

    @property
    def spans(self) -> tuple[int, ...]:
        """Return the horizons in trading days, shortest first."""
        return tuple(sorted({one.horizon_d for one in self.horizons}))


def gather(read: Reads, portfolio_id: str, settings: Settings) -> Simulated:
    """Return simulated risk of one portfolio by every method of the run."""
    methods = risk.methods(read)
    by_method = {name: risk.horizons(read, portfolio_id, settings, name) for name in methods}
    horizons = tuple(one for name in methods for one in by_method[name] if one.measures)
    leading = horizons[0] if horizons else None
    contributions = []
    if leading:
        for measure in ("expected_shortfall", "value_at_risk"):
            parts = risk.contributions(
                read, portfolio_id, by_method[leading.method], settings, measure, leading.method
            )
            if parts.rows:
                contributions.append(parts)
    return Simulated(
        horizons,
        tuple(contributions),
        leading.label if leading else "",
        _attribution(read, portfolio_id, settings),
    )


def _attribution(read: Read, portfolio_id: str, settings: Settings) -> tuple[Attribution, ...]:
    rows = where(read(RISK_ATTRIBUTION), portfolio_id=portfolio_id, confidence=settings.risk.es_confidence)
    known = list(risk.METHODS)
    ordered = sorted(
        rows.to_pylist(),
        key=lambda row: (
            known.index(row["method"]) if row["method"] in risk.METHODS else len(known),
            row["method"],
            row["horizon_d"],
        ),
    )
    return tuple(
        Attribution(
            risk.METHODS.get(row["method"], printable(row["method"])),
            row["horizon_d"],
            row["expected_shortfall_pct_nav"],
            row["factor_pct_nav"],
            row["specific_pct_nav"],
            row["residual_pct_nav"],
        )
        for row in ordered
    )
