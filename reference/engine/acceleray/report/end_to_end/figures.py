"""The figures of this page alone; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from acceleray.report import canvas, formats
from acceleray.report.canvas import Drawing, draw
from acceleray.report.end_to_end.data import Report
from acceleray.report.risk import Horizon

# Fewer portfolios than this are better read in the table.
SMALLEST_BOOK = 10


@dataclass(frozen=True)
class Figures:
    """Figures drawn for this page alone."""

    losses: Drawing | None
    book: Drawing | None
    signal: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures but those shared with other pages."""
    return Figures(losses(report), book(report), signal(report))


def losses(report: Report) -> Drawing | None:
    """Return the loss distribution per horizon: all of it, and the tail enlarged."""
    drawn = [horizon for horizon in report.horizons if horizon.scenarios.sum() > 0]
    if not drawn:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        shape = (2 * len(drawn), 1) if narrow else (len(drawn), 2)
        axes = figure.subplots(*shape, squeeze=False).ravel()
        canvas.spread(figure)
        for index, horizon in enumerate(drawn):
            span = formats.days(horizon.horizon_d)
            _distribution(axes[2 * index], horizon, False, f"{span}: all scenarios")
            _distribution(axes[2 * index + 1], horizon, True, f"{span}: the tail, enlarged")

    return draw(paint, (1080, 300 * len(drawn)), (400, 520 * len(drawn)))


def _distribution(axes: Axes, horizon: Horizon, tail: bool, title: str) -> None:
    edges, scenarios = horizon.edges, horizon.scenarios
    share = 100 * scenarios / scenarios.sum()
    value_at_risk, shortfall = horizon.measure("value_at_risk"), horizon.measure("expected_shortfall")
    centres, cumulative = (edges[1:] + edges[:-1]) / 2, np.cumsum(share)
    # The outermost scenario in ten thousand would squeeze all others into a few pixels.
    first = centres[min(int(np.searchsorted(cumulative, 0.02)), len(centres) - 1)]
    last = centres[min(int(np.searchsorted(cumulative, 99.98)), len(centres) - 1)]
    marks = [m.value_pct_nav for m in (value_at_risk, shortfall) if m]
    last = max([last, *(1.25 * mark for mark in marks)])
    height = float(share.max())
    if tail and marks:
        first = 0.7 * min(marks)
        height = float(share[centres >= first].max(initial=0.0)) or height
    _steps(axes, edges, share, canvas.SOFT)
    if value_at_risk:
        start = value_at_risk.value_pct_nav
        beyond = np.clip(edges, start, None)
        _steps(axes, beyond, share, canvas.LOSS)
    # The two are often a hair apart: both labels stand on the side where there is room, one above the other.
    beside = (max(marks) if tail else min(marks)) if marks else 0.0
    for measure, name, style, row in (
        (value_at_risk, "VaR", "-", 1.2),
        (shortfall, "ES", (0, (4, 2)), 1.09),
    ):
        if measure:
            x = measure.value_pct_nav
            axes.plot([x, x], [0, height * 1.2], color=canvas.INK, linewidth=1.3, linestyle=style)
            drawn = "solid" if style == "-" else "dashed"
            label = f"{name} {formats.confidence(measure.confidence)}: {formats.percent(x)} ({drawn})"
            _label(axes, beside, height * row, label, canvas.INK, not tail)
    axes.set_xlim(first, last)
    axes.set_ylim(0, height * 1.25)
    axes.set_title(title)
    axes.set_xlabel("Simulated loss, % of NAV (gains are negative)")
    axes.set_ylabel("Share of scenarios, %")
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _steps(axes: Axes, edges: NDArray[np.float64], height: NDArray[np.float64], colour: str) -> None:
    axes.fill_between(np.repeat(edges, 2)[1:-1], 0, np.repeat(height, 2), color=colour, linewidth=0)


def _label(axes: Axes, x: float, y: float, text: str, colour: str, left: bool) -> None:
    note = axes.annotate(
        text,
        (x, y),
        xytext=(-6 if left else 6, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top",
        color=colour,
        fontweight="bold",
    )
    # A label may not push the axes aside.
    note.set_in_layout(False)


def book(report: Report) -> Drawing | None:
    """Return how value at risk is spread over the portfolios of the book."""
    values = report.book.var_pct_nav[np.isfinite(report.book.var_pct_nav)]
    if len(values) < SMALLEST_BOOK:
        return None
    bins = int(np.clip(np.sqrt(len(values)), 8, 60))
    heights, edges = np.histogram(values, bins=bins)

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.bar(edges[:-1], heights, np.diff(edges), align="edge", color=canvas.SOFT, edgecolor="white")
        top = float(heights.max())
        marks = [("median", report.book.quantile(0.5), canvas.MUTED, 1.18)]
        if report.book.reference:
            marks.append(
                (
                    formats.shortened(
                        report.naming.label.lower() if report.naming.invented else report.naming.label
                    ),
                    report.book.reference.var_pct_nav,
                    canvas.ACCENT,
                    1.32,
                )
            )
        for name, value, colour, reach in marks:
            axes.plot([value, value], [0, top * reach], color=colour, linewidth=1.6)
            right = value > (edges[0] + edges[-1]) / 2
            _label(axes, value, top * reach, f"{name} {formats.percent(value)}", colour, right)
        axes.set_ylim(0, top * 1.36)
        confidence = formats.confidence(report.settings.risk.var_confidence)
        axes.set_xlabel(f"One-{formats.unit()} value at risk {confidence}, % of each portfolio's NAV")
        axes.set_ylabel("Portfolios")
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))

    return draw(paint, (1080, 300), (400, 290))


def signal(report: Report) -> Drawing | None:
    """Return rank IC by walk-forward fold with the range that its t statistic implies."""
    folds = [fold for fold in report.signal.folds if np.isfinite(fold["rank_ic"])]
    if not folds:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        for index, fold in enumerate(folds):
            value, t = fold["rank_ic"], fold["rank_ic_t"]
            half = abs(1.96 * value / t) if np.isfinite(t) and t else 0.0
            axes.plot([index, index], [value - half, value + half], color=canvas.ACCENT, linewidth=2)
            axes.plot([index], [value], marker="o", markersize=8, color=canvas.ACCENT)
        axes.axhline(0, color=canvas.INK, linewidth=1)
        axes.axhline(0.1, color=canvas.LOSS, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(-0.5, 0.101, "above this: probable leakage", color=canvas.LOSS, va="bottom", ha="left")
        axes.set_xlim(-0.55, len(folds) - 0.45)
        bottom, top = axes.get_ylim()
        axes.set_ylim(bottom, max(top, 0.125))
        places = np.arange(0, len(folds), max(1, -(-len(folds) // (5 if narrow else 12))))
        axes.set_xticks(places, [_span(folds[i], "\n" if narrow else "") for i in places])
        axes.set_ylabel("Rank IC, test days")
        axes.set_xlabel("Walk-forward fold, by its test window")

    return draw(paint, (1080, 280), (400, 280))


def _span(fold: dict[str, object], wrap: str) -> str:
    first, last = str(fold["test_first"])[:4], str(fold["test_last"])[:4]
    return first if first == last else f"{first}\u2013{wrap}{last}"
