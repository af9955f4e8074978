"""Reverse stress: how little has to happen for the reference portfolio to lose a given amount."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy import stats

from acceleray.report import formats, risk
from acceleray.report.fits import TRADING_DAYS_A_YEAR
from acceleray.report.formats import printable
from acceleray.report.rows import Read, where
from acceleray.report.stress.plausibility import rounded
from acceleray.tables import REVERSE_STRESS, REVERSE_STRESS_SHOCKS, SCENARIO_SETS

SHOWN_INSTRUMENTS = 20
METHODS = {"linear": "Closed form", **risk.METHODS}
SHORT = {"linear": "Closed form", "filtered_historical": "Historical", "t_copula": "t copula"}


@dataclass(frozen=True)
class Reverse:
    """One target by one method; NaN or None where no scenario reaches it. Losses in % of NAV."""

    method: str
    label: str
    target_pct_nav: float
    horizon_d: int
    loss_pct_nav: float
    distance_sigma: float
    factor_distance: float
    averaged: int | None
    plausibility: str


@dataclass(frozen=True)
class Shocks:
    """Returns of instruments in per cent for one horizon: a column for each method and target.

    Instruments with the largest move in any column come first; a move that is not there is NaN.
    """

    horizon_d: int
    columns: tuple[tuple[str, float], ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]
    all_instruments: int


def gather(read: Read, portfolio_id: str) -> tuple[Reverse, ...]:
    """Return all targets of one portfolio, smallest first, closed form before simulated."""
    sets = {(row["method"], row["horizon_d"]): row["scenarios"] for row in read(SCENARIO_SETS).to_pylist()}
    rows = where(read(REVERSE_STRESS), portfolio_id=portfolio_id).to_pylist()
    rows.sort(key=lambda row: (row["target_loss_pct_nav"], row["horizon_d"], _rank(row["method"])))
    return tuple(
        Reverse(
            row["method"],
            METHODS.get(row["method"], printable(row["method"])),
            row["target_loss_pct_nav"],
            row["horizon_d"],
            _float(row["loss_pct_nav"]),
            _float(row["distance_sigma"]),
            _float(row["factor_distance"]),
            row["averaged"],
            _plausibility(row, sets.get((row["method"], row["horizon_d"]))),
        )
        for row in rows
    )


def shocks(read: Read, portfolio_id: str) -> tuple[Shocks, ...]:
    """Return what instruments do in the scenarios found, one table for each horizon."""
    found = where(read(REVERSE_STRESS_SHOCKS), portfolio_id=portfolio_id).to_pylist()
    tables = []
    for horizon_d in sorted({row["horizon_d"] for row in found}):
        rows = [row for row in found if row["horizon_d"] == horizon_d]
        keys = sorted({(row["target_loss_pct_nav"], _rank(row["method"]), row["method"]) for row in rows})
        place = {(target, method): at for at, (target, _, method) in enumerate(keys)}
        moves: dict[str, list[float]] = {}
        for row in rows:
            line = moves.setdefault(row["instrument_id"], [math.nan] * len(keys))
            line[place[row["target_loss_pct_nav"], row["method"]]] = 100 * row["return"]
        ordered = sorted(
            moves.items(), key=lambda item: (-max(abs(v) for v in item[1] if math.isfinite(v)), item[0])
        )
        tables.append(
            Shocks(
                horizon_d,
                tuple((SHORT.get(method, printable(method)), target) for target, _, method in keys),
                tuple((printable(name), tuple(line)) for name, line in ordered[:SHOWN_INSTRUMENTS]),
                len(ordered),
            )
        )
    return tuple(tables)


def _plausibility(row: dict[str, Any], scenarios: int | None) -> str:
    span = formats.days(row["horizon_d"])
    if row["method"] == "linear":
        return _normal(_float(row["distance_sigma"]), row["horizon_d"])
    reaching = row["reaching"]
    if reaching is None:
        return "not recorded"
    of_all = f" of {formats.count(scenarios)}" if scenarios else ""
    if not reaching:
        return f"none{of_all} simulated scenarios loses as much"
    chance = f": about one in {rounded(scenarios / reaching)} spans of {span}" if scenarios else ""
    verb = "loses" if reaching == 1 else "lose"
    return f"{formats.count(reaching)}{of_all} simulated scenarios {verb} as much{chance}"


def _normal(distance: float, horizon_d: int) -> str:
    """Return how often a normal law would let this happen; the law is the closed form's, not the market's."""
    if not math.isfinite(distance):
        return "not computed"
    words = f"{formats.number(distance, 1)} standard deviations"
    years = horizon_d / (TRADING_DAYS_A_YEAR * max(float(stats.norm.sf(distance)), 1e-300))
    if years < 1:
        return f"{words}: more than once a year under a normal law"
    if years > 1e6:
        return f"{words}: less than once in a million years under a normal law"
    return f"{words}: about once in {rounded(years)} years under a normal law"


def _rank(method: str) -> tuple[int, str]:
    known = list(METHODS)
    return (known.index(method) if method in METHODS else len(known), method)


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
