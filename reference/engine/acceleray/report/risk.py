"""Simulated risk of one portfolio: headline measures, their distribution, and what contributes to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import Read, Reads, first, floats, narrowed, where
from acceleray.settings import Settings
from acceleray.tables import (
    BACKTEST_HORIZONS,
    LOSS_DISTRIBUTION,
    PORTFOLIOS,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    SCENARIO_SETS,
)

MEASURES = {"value_at_risk": "Value at risk", "expected_shortfall": "Expected shortfall"}
# How scenarios are made, the headline method first.
HEADLINE_METHOD = "filtered_historical"
METHODS = {
    HEADLINE_METHOD: "Filtered historical simulation",
    "t_copula": "Student-t copula on GJR-GARCH-t margins",
}
TOP_CONTRIBUTIONS = 15


@dataclass(frozen=True)
class Measure:
    """One headline number: a positive loss with its standard error.

    error_of says of what: `window`, other days of the same market, or `draws`, other random numbers; None in
    a run before there was a difference.
    """

    measure: str
    label: str
    confidence: float
    horizon_d: int
    value: float
    value_pct_nav: float
    standard_error: float
    error_of: str | None


@dataclass(frozen=True)
class Tested:
    """Backtest of value at risk by one method at one horizon; low and high bound the rate."""

    windows: int
    exceptions: int
    expected: float
    offsets: int
    kupiec_p: float
    low: float
    high: float


@dataclass(frozen=True)
class Horizon:
    """All of one method and horizon: histogram edges (bins + 1,) in % of NAV, scenarios (bins,).

    tested is its record over windows of this length, None where it is not backtested or, as one day of the
    headline method, judged day by day (see `acceleray.report.backtest`).
    """

    method: str
    label: str
    horizon_d: int
    measures: tuple[Measure, ...]
    edges: NDArray[np.float64]
    scenarios: NDArray[np.float64]
    scenario_set: dict[str, Any] | None
    tested: Tested | None = None

    @property
    def judged_daily(self) -> bool:
        """Return whether the one-day backtest with its gate is about this method and horizon."""
        return self.method == HEADLINE_METHOD and self.horizon_d == 1

    @property
    def enumerated(self) -> bool:
        """Return whether its scenarios are every day of the residual window once, none drawn."""
        return any(measure.error_of == "window" for measure in self.measures)

    def measure(self, name: str) -> Measure | None:
        """Return one measure of this horizon, None if the run did not compute it."""
        return next((m for m in self.measures if m.measure == name), None)


@dataclass(frozen=True)
class Contribution:
    """One line of the contribution table; amounts in currency, one per horizon; bars share one zero line."""

    label: str
    amounts: tuple[float, ...]
    share_pct: float
    bar_left_pct: float
    bar_width_pct: float


@dataclass(frozen=True)
class Contributions:
    """Euler contributions to one measure: the largest by size, highest first, and the total of all."""

    measure: str
    label: str
    horizons: tuple[int, ...]
    confidence: float
    rows: tuple[Contribution, ...]
    other: Contribution | None
    other_count: int
    total: tuple[float, ...]
    # Largest distance of a sum from the reported measure, as a share of it; None if none was reported.
    gap: float | None


def reference(read: Read) -> dict[str, object] | None:
    """Return the row of the portfolio that headlines speak of: the first of the book.

    A run before books had an order has its reference portfolio.
    """
    portfolios = read(PORTFOLIOS)
    return first(where(portfolios, place=0)) or first(where(portfolios, origin="reference"))


def headline(read: Read) -> str:
    """Return the id of the portfolio that headlines speak of, empty if the run has none."""
    found = reference(read)
    return "" if found is None else str(found["portfolio_id"])


def methods(read: Read) -> tuple[str, ...]:
    """Return the methods of this run's risk measures, the headline method first, unknown ones last."""
    known = list(METHODS)
    found = pc.unique(read(narrowed(RISK_MEASURES, "method"))["method"]).to_pylist()
    return tuple(sorted(found, key=lambda name: (known.index(name) if name in METHODS else len(known), name)))


def horizons(
    read: Read, portfolio_id: str, settings: Settings, method: str = HEADLINE_METHOD
) -> tuple[Horizon, ...]:
    """Return headline measures and loss histograms of one portfolio, shortest horizon first."""
    measures = where(read(RISK_MEASURES), portfolio_id=portfolio_id, method=method)
    histogram = where(read(LOSS_DISTRIBUTION), portfolio_id=portfolio_id, method=method)
    sets = {row["horizon_d"]: row for row in where(read(SCENARIO_SETS), method=method).to_pylist()}
    confidence = settings.risk.var_confidence
    past = where(read(BACKTEST_HORIZONS), portfolio_id=portfolio_id, method=method, confidence=confidence)
    tested = {row["horizon_d"]: _tested(row) for row in past.to_pylist() if row["windows"]}
    wanted = {
        "value_at_risk": settings.risk.var_confidence,
        "expected_shortfall": settings.risk.es_confidence,
    }
    found = []
    for horizon_d in sorted(set(measures["horizon_d"].to_pylist())):
        numbers = []
        for name, confidence in wanted.items():
            row = first(where(measures, measure=name, confidence=confidence, horizon_d=horizon_d))
            if row:
                numbers.append(
                    Measure(
                        name,
                        MEASURES[name],
                        confidence,
                        horizon_d,
                        row["value"],
                        row["value_pct_nav"],
                        row["standard_error"],
                        row["error_of"],
                    )
                )
        edges, scenarios = _histogram(where(histogram, horizon_d=horizon_d))
        label = METHODS.get(method, printable(method))
        made, record = sets.get(horizon_d), tested.get(horizon_d)
        found.append(Horizon(method, label, horizon_d, tuple(numbers), edges, scenarios, made, record))
    return tuple(found)


def contributions(
    read: Reads,
    portfolio_id: str,
    found: tuple[Horizon, ...],
    settings: Settings,
    measure: str = "expected_shortfall",
    method: str = HEADLINE_METHOD,
) -> Contributions:
    """Return the largest contributions to one measure, the rest as one line, and the total.

    `found` are the horizons of the same method; the total is compared with their measures.
    """
    risk = settings.risk
    confidence = risk.var_confidence if measure == "value_at_risk" else risk.es_confidence
    columns = ("portfolio_id", "method", "measure", "confidence", "horizon_d", "instrument_id")
    # A book of ten thousand portfolios has millions of rows.
    table = where(
        read(narrowed(RISK_CONTRIBUTIONS, *columns, "contribution"), portfolio_id=[portfolio_id]),
        method=method,
        measure=measure,
        confidence=confidence,
    )
    spans = tuple(sorted(set(table["horizon_d"].to_pylist())))
    amounts: dict[str, list[float]] = {}
    for row in table.to_pylist():
        line = amounts.setdefault(row["instrument_id"], [0.0] * len(spans))
        line[spans.index(row["horizon_d"])] += row["contribution"]
    # By size, so that a large hedge is not lost among the small rest.
    ordered = sorted(amounts.items(), key=lambda item: (-abs(item[1][0]), item[0]))
    total = tuple(float(np.sum([line[i] for _, line in ordered])) for i in range(len(spans)))
    # One instrument more than the limit is better shown than called "other".
    kept = len(ordered) if len(ordered) <= TOP_CONTRIBUTIONS + 1 else TOP_CONTRIBUTIONS
    shown = sorted(ordered[:kept], key=lambda item: (-item[1][0], item[0]))
    rest = [line for _, line in ordered[kept:]]
    other = tuple(float(np.sum([line[i] for line in rest])) for i in range(len(spans)))
    bars = _bars([line[0] for _, line in shown])
    reported = {h.horizon_d: h.measure(measure) for h in found}
    gaps = [
        abs(part - whole.value) / max(abs(whole.value), 1e-300)
        for span, part in zip(spans, total, strict=True)
        if (whole := reported.get(span)) is not None
    ]
    return Contributions(
        measure,
        MEASURES[measure],
        spans,
        confidence,
        tuple(
            Contribution(printable(name), tuple(line), _share(line[0], total[0]), *bar)
            for (name, line), bar in zip(shown, bars, strict=True)
        ),
        # Hundreds of instruments in one bar would make all others invisible: the rest has none.
        Contribution("", other, _share(other[0], total[0]), 0.0, 0.0) if rest else None,
        len(rest),
        total,
        max(gaps) if gaps else None,
    )


def _tested(row: dict[str, Any]) -> Tested:
    columns = ("windows", "exceptions", "expected_exceptions", "offsets", "kupiec_p", "rate_low", "rate_high")
    return Tested(*(row[name] for name in columns))


def _histogram(table: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = table.sort_by("bin")
    if not table.num_rows:
        return np.empty(0), np.empty(0)
    edges = np.append(floats(table, "loss_from_pct_nav"), floats(table, "loss_to_pct_nav")[-1])
    inner = edges[np.isfinite(edges)]
    # An open outer bin is drawn from the outermost finite edge.
    return np.clip(edges, inner.min(), inner.max()), floats(table, "scenarios")


def _share(part: float, total: float) -> float:
    return 100 * part / total if total else float("nan")


def _bars(values: list[float]) -> list[tuple[float, float]]:
    """Return (left edge, width) in % for bars that share one zero line."""
    low = min([0.0, *values])
    high = max([0.0, *values])
    span = (high - low) or 1.0
    return [(100 * (min(value, 0.0) - low) / span, 100 * abs(value) / span) for value in values]
