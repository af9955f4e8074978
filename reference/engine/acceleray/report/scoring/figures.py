"""The figures of this page alone; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.report import canvas, formats, heat
from acceleray.report.canvas import Drawing, draw
from acceleray.report.scoring.components import Components
from acceleray.report.scoring.data import Report

# Fewer than these are better read in the table.
SMALLEST_BOOK, SMALLEST_UNIVERSE = 10, 21


@dataclass(frozen=True)
class Figures:
    """Figures drawn for this page alone."""

    scores: Drawing | None
    risk: Drawing | None
    components: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures."""
    return Figures(scores(report), risk(report), components(report.components))


def scores(report: Report) -> Drawing | None:
    """Return how scores are spread over the instruments."""
    values = report.scores.values[np.isfinite(report.scores.values)]
    if len(values) < SMALLEST_UNIVERSE:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        _histogram(axes, values)
        axes.axvline(0, color=canvas.INK, linewidth=1)
        axes.set_xlabel("Score: expected rank of the return, \u22120.5 lowest to 0.5 highest")
        axes.set_ylabel("Instruments")

    return draw(paint, (1080, 260), (400, 260))


def risk(report: Report) -> Drawing | None:
    """Return how value at risk and expected shortfall are spread over the portfolios."""
    book, levels = report.portfolios, report.settings.risk
    if book.count < SMALLEST_BOOK:
        return None
    panels = (
        ("var_pct_nav", f"Value at risk {formats.confidence(levels.var_confidence)}"),
        ("es_pct_nav", f"Expected shortfall {formats.confidence(levels.es_confidence)}"),
    )
    highest = max(float(book.values[name].max()) for name, _ in panels)

    def paint(figure: Figure, narrow: bool) -> None:
        found = figure.subplots(*((2, 1) if narrow else (1, 2)), sharex=not narrow)
        canvas.spread(figure)
        for axes, (name, title) in zip(found, panels, strict=True):
            values = book.values[name]
            top = _histogram(axes, values)
            marks = [("median", float(np.median(values)), canvas.MUTED, 1.14)]
            if book.reference:
                label = "reference" if book.reference.origin == "reference" else book.reference.name
                marks.append(
                    (formats.shortened(label), float(getattr(book.reference, name)), canvas.ACCENT, 1.3)
                )
            for label, value, colour, reach in marks:
                axes.plot([value, value], [0, top * reach], color=colour, linewidth=1.6)
                right = value > 0.6 * highest
                note = axes.annotate(
                    f"{label} {formats.percent(value)}",
                    (value, top * reach),
                    xytext=(-6 if right else 6, 0),
                    textcoords="offset points",
                    ha="right" if right else "left",
                    va="top",
                    color=colour,
                    fontweight="bold",
                )
                # A label may not push the axes aside.
                note.set_in_layout(False)
            axes.set_ylim(0, top * 1.34)
            axes.set_title(title)
            axes.set_xlabel(f"% of NAV over {formats.days(book.horizon_d)}")
            axes.set_ylabel("Portfolios")

    return draw(paint, (1080, 300), (400, 540))


def components(found: Components) -> Drawing | None:
    """Return the map of components: portfolios and instruments, darker where more of NAV is at stake."""
    if not found.instruments or not np.isfinite(found.values).any():
        return None
    values, names = found.values, list(found.instruments)
    if found.left_out:
        values = np.column_stack([values, found.rest])
        names.append(counted(found.left_out, "other"))
    lines = [line.name for line in found.portfolios]

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        steps = _steps(values)
        # On a phone the longer side goes down.
        heat.fill(axes, values.T if narrow else values, steps)
        heat.key(figure, axes, steps, "Component of expected shortfall, % of NAV", 2, True)
        down, across = (names, lines) if narrow else (lines, names)
        axes.set_yticks(range(len(down)), [formats.shortened(name, 12 if narrow else 30) for name in down])
        labels = [formats.shortened(name, 26 if narrow else 14) for name in across]
        axes.set_xticks(range(len(across)), labels, rotation=90, fontsize="small")

    height = 26 * len(lines) + 190
    return draw(paint, (1080, height), (400, 20 * len(names) + 300))


def _steps(values: NDArray[np.float64]) -> heat.Scale:
    known = values[np.isfinite(values)]
    if known.min() >= 0:
        return heat.scale(values)
    # With hedges among them, zero is in the middle.
    reach = float(np.quantile(np.abs(known), 0.98)) or 1.0
    edges = np.linspace(-reach, reach, len(heat.DIVERGING) + 1)
    return heat.Scale(tuple(float(edge) for edge in edges), heat.DIVERGING)


def _histogram(axes: Axes, values: NDArray[np.float64]) -> float:
    bins = int(np.clip(np.sqrt(len(values)), 8, 60))
    heights, edges = np.histogram(values, bins=bins)
    axes.bar(edges[:-1], heights, np.diff(edges), align="edge", color=canvas.SOFT, edgecolor="white")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return float(heights.max())
