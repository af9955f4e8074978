"""Betas of monthly changes against betas of weekly ones: how well they explain the next year's months."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.months import last_known, realised_volatility
from choices_record import record
from choices_scores import Difference, difference

MONTHLY, WEEKLY = "monthly", "weekly"
FIRST_YEAR = 1994
# Label of a comparison, its factors, and the months of its window; none is all there are.
COMPARISONS: tuple[tuple[str, tuple[str, ...], int | None], ...] = (
    ("equity and volatility, all months (decides)", ("equity", "volatility"), None),
    ("equity and volatility, last 60 months", ("equity", "volatility"), 60),
    ("equity and volatility, last 36 months", ("equity", "volatility"), 36),
    ("equity alone, all months", ("equity",), None),
    ("equity alone, last 36 months", ("equity",), 36),
    ("equity, oil and volatility, to the end of oil", ("equity", "oil", "volatility"), None),
)


@dataclass(frozen=True)
class Data:
    """Log levels on days: of instruments (days, names), of factors by name (days,), NaN where none."""

    dates: NDArray[np.datetime64]
    instruments: NDArray[np.float64]
    factors: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Explained:
    """Out-of-sample R-squared by both kinds of betas, the gain of weekly ones, and their mean first betas."""

    monthly: float
    weekly: float
    gain: Difference
    mean_betas: tuple[float, float]


def table() -> list[str]:
    """Return every comparison, as lines."""
    data = data_of_the_record()
    lines = ["squared error over the variance of the name; gains are monthly less weekly"]
    for label, factors, window in COMPARISONS:
        found = explained(data, factors, window)
        one, other = found.mean_betas
        lines.append(
            f"{label}: R2 monthly {found.monthly:.4f}, weekly {found.weekly:.4f}, gain {found.gain.told(4)}, "
            f"{found.gain.count} months; mean equity beta {one:.2f} and {other:.2f}"
        )
    return lines


def data_of_the_record() -> Data:
    """Return the sample and its factors: the index, its realised volatility, and oil while it lasts."""
    import arch.data.wti
    from skfolio.datasets import load_sp500_index

    sample = record()
    index = load_sp500_index()["SP500"]
    equity = index.to_numpy(dtype=np.float64)
    days = index.index.to_numpy().astype("datetime64[D]")
    oil = arch.data.wti.load()["DCOILWTICO"].dropna()
    oil_days = oil.index.to_numpy().astype("datetime64[D]")
    known = last_known(oil_days, oil.to_numpy(dtype=np.float64), sample.dates)
    known[sample.dates > oil_days[-1]] = np.nan
    factors = {
        "equity": last_known(days, equity, sample.dates),
        "volatility": last_known(days, realised_volatility(days, equity), sample.dates),
        "oil": known,
    }
    return Data(sample.dates, np.log(sample.prices), {name: np.log(each) for name, each in factors.items()})


def period_of(dates: NDArray[np.datetime64], kind: str) -> NDArray[np.int64]:
    """Return the number of the calendar month of each date, or of its week from Saturday to Friday."""
    if kind == MONTHLY:
        return np.asarray(dates.astype("datetime64[M]").astype(np.int64))
    # Day 0 was a Thursday, so day 2 a Saturday.
    return np.asarray((dates.astype("datetime64[D]").astype(np.int64) - 2) // 7)


def period_changes(
    periods: NDArray[np.int64], levels: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the last row of each period but the first, and the change of levels (days, ...) since the one
    before it.

    Periods ascend with the days; a period without any day makes the change around it span two.
    """
    last = np.flatnonzero(np.diff(periods, append=periods[-1] + 1))
    return last[1:], np.diff(levels[last], axis=0)


def explained(data: Data, factors: tuple[str, ...], window_m: int | None) -> Explained:
    """Return how much of each next year's monthly returns both kinds of betas explain.

    Betas are least squares with a constant, on changes whose periods end within the years before the one
    judged; the constant is no part of what is explained. An error is divided by the name's variance in the
    window.
    """
    levels = np.column_stack([data.instruments, *(data.factors[name] for name in factors)])
    count = data.instruments.shape[1]
    years = data.dates.astype("datetime64[Y]").astype(np.int64) + 1970
    ends, changes = {}, {}
    for kind in (MONTHLY, WEEKLY):
        ends[kind], changes[kind] = period_changes(period_of(data.dates, kind), levels)
    errors: dict[str, list[NDArray[np.float64]]] = {MONTHLY: [], WEEKLY: [], "none": []}
    betas: dict[str, list[float]] = {MONTHLY: [], WEEKLY: []}
    for year in range(FIRST_YEAR, int(years[-1]) + 1):
        judged = changes[MONTHLY][years[ends[MONTHLY]] == year]
        judged = judged[np.isfinite(judged).all(axis=1)]
        past = {kind: _before(year, years, ends[kind], changes[kind]) for kind in (MONTHLY, WEEKLY)}
        if not len(judged) or (window_m and len(past[MONTHLY]) < window_m):
            continue
        if window_m:
            weeks = round(window_m * 365.25 / 12.0 / 7.0)
            past = {MONTHLY: past[MONTHLY][-window_m:], WEEKLY: past[WEEKLY][-weeks:]}
        variance = past[MONTHLY][:, :count].var(axis=0, ddof=1)
        own, moves = judged[:, :count], judged[:, count:]
        errors["none"].append(own**2 / variance)
        for kind in (MONTHLY, WEEKLY):
            slopes = least_squares(past[kind][:, :count], past[kind][:, count:])
            betas[kind].append(float(slopes[0].mean()))
            errors[kind].append((own - moves @ slopes) ** 2 / variance)
    monthly, weekly, none = (np.concatenate(each).mean(axis=1) for each in errors.values())
    return Explained(
        monthly=float(1.0 - monthly.sum() / none.sum()),
        weekly=float(1.0 - weekly.sum() / none.sum()),
        gain=difference(monthly - weekly),
        mean_betas=(float(np.mean(betas[MONTHLY])), float(np.mean(betas[WEEKLY]))),
    )


def _before(
    year: int, years: NDArray[np.int64], ends: NDArray[np.int64], changes: NDArray[np.float64]
) -> NDArray[np.float64]:
    past = changes[years[ends] < year]
    return past[np.isfinite(past).all(axis=1)]


def least_squares(returns: NDArray[np.float64], changes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return slopes (factors, names) of returns (periods, names) on changes (periods, factors), constant
    apart."""
    with_constant = np.column_stack([np.ones(len(changes)), changes])
    return np.asarray(np.linalg.lstsq(with_constant, returns, rcond=None)[0][1:])
