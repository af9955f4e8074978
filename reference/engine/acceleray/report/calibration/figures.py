"""The figures of this page alone; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from acceleray.report import canvas, formats, heat
from acceleray.report.calibration.data import Report
from acceleray.report.calibration.dependence import Dependence
from acceleray.report.calibration.doubts import Drift
from acceleray.report.calibration.history import History
from acceleray.report.canvas import Drawing, draw

# Factors of change that a reader knows.
_FACTORS = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
# Student-t degrees of freedom: below four there is no fourth moment, from thirty on tails are all but normal.
_TAILS = heat.Scale((2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 30.0), heat.BLUES[::-1])
_CORRELATIONS = heat.Scale(tuple(round(-1 + 0.2 * i, 1) for i in range(11)), heat.DIVERGING)


@dataclass(frozen=True)
class Figures:
    """Figures drawn for this page alone."""

    persistence: Drawing | None
    tails: Drawing | None
    drift: Drawing | None
    correlation: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures but those shared with other pages."""
    return Figures(
        persistence(report.history),
        tails(report.history),
        drift(report.drift),
        correlation(report.dependence),
    )


def persistence(found: History) -> Drawing | None:
    """Return the map of persistence: instruments down, days of fitting across."""
    if not found.tried.any():
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        _map(figure, axes, found, found.persistence, heat.scale(found.persistence), narrow)

    height = 16 * len(found.instruments) + 110
    return draw(paint, (1080, height), (400, height))


def tails(found: History) -> Drawing | None:
    """Return the maps of degrees of freedom and of next-day volatility, next to or below each other."""
    if not found.tried.any():
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        left, right = figure.subplots(*((2, 1) if narrow else (1, 2)), sharey=False)
        canvas.spread(figure)
        _map(figure, left, found, found.nu, _TAILS, narrow, "Degrees of freedom (dark: heavy tails)", 0)
        title = "Volatility, annualised, % (dark: high)"
        _map(figure, right, found, found.volatility_pct, heat.scale(found.volatility_pct), narrow, title, 0)
        if not narrow:
            right.set_yticks([])

    height = 13 * len(found.instruments) + 130
    return draw(paint, (1080, height), (400, 2 * height))


def _map(
    figure: Figure,
    axes: Axes,
    found: History,
    values: NDArray[np.float64],
    steps: heat.Scale,
    narrow: bool,
    title: str = "Persistence (dark: shocks last)",
    digits: int = 3,
) -> None:
    heat.fill(axes, values, steps, found.tried)
    heat.key(figure, axes, steps, title, digits, True)
    names = [formats.shortened(name, 12 if narrow else 18) for name in found.instruments]
    axes.set_yticks(range(len(names)), names, fontsize="small")
    count = len(found.dates)
    places = np.arange(0, count, -(-count // (4 if narrow else 8)))
    axes.set_xticks(places, [str(found.dates[place])[:7] for place in places], fontsize="small")


def drift(found: Drift) -> Drawing | None:
    """Return one dot an instrument: next-day volatility as a multiple of what the fit before says."""
    if not found.fits:
        return None
    logs = np.array([fit.drift for fit in found.fits], dtype=np.float64)

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        rows = np.arange(len(logs))
        beyond = np.abs(logs) > found.limit
        axes.axvspan(-found.limit, found.limit, color="#f1f4f7", linewidth=0)
        axes.axvline(0, color=canvas.INK, linewidth=1)
        for side in (-found.limit, found.limit):
            axes.axvline(side, color=canvas.LOSS, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.hlines(rows, 0, logs, color=canvas.SOFT, linewidth=1.4)
        for chosen, colour, label in (
            (~beyond, canvas.ACCENT, "within the limit"),
            (beyond, canvas.LOSS, "drifted"),
        ):
            axes.plot(
                logs[chosen], rows[chosen], "o", color=colour, markersize=6, markeredgewidth=0, label=label
            )
        names = [formats.shortened(fit.instrument, 12 if narrow else 18) for fit in found.fits]
        axes.set_yticks(rows, names, fontsize="small")
        axes.set_ylim(len(logs) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        reach = max(1.15 * float(np.abs(logs).max()), 1.25 * found.limit)
        axes.set_xlim(-reach, reach)
        marks = [factor for factor in _FACTORS if abs(np.log(factor)) <= reach]
        if narrow and len(marks) > 7:
            marks = [factor for factor in marks if factor not in (0.9, 1.1, 0.8, 1.25)]
        axes.set_xticks(np.log(marks), [f"\u00d7{factor:g}" for factor in marks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.set_xlabel("Next-day volatility, this fit over the one before")
        figure.legend(loc="outside upper left", ncols=2)

    height = 17 * len(logs) + 110
    return draw(paint, (1080, height), (400, height))


def correlation(found: Dependence) -> Drawing | None:
    """Return the correlation that is simulated as a map."""
    count = len(found.instruments)
    if count < 2:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        heat.fill(axes, found.correlation, _CORRELATIONS)
        heat.key(figure, axes, _CORRELATIONS, "Correlation", 1, False)
        names = [formats.shortened(name, 10 if narrow else 14) for name in found.instruments]
        size = "small" if count <= 25 and not narrow else "x-small"
        axes.set_yticks(range(count), names, fontsize=size)
        axes.set_xticks(range(count), names, fontsize=size, rotation=90)

    return draw(paint, (1080, 17 * count + 190), (400, 11 * count + 180))
