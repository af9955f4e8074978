"""The figures of the backtest: every out-of-sample day, and exceptions by year and model."""

from __future__ import annotations

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from acceleray.report import canvas, formats
from acceleray.report.backtest import Backtest
from acceleray.report.canvas import Drawing, draw


def history(found: Backtest) -> Drawing | None:
    """Return realised losses, the calibrated model's forecast and its exceptions through all days."""
    series = found.headline_series
    if series is None or not len(series.date):
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        columns = 330 if narrow else 1000
        when = series.date
        top = float(np.nanmax([series.loss.max(), series.value_at_risk.max()])) * 1.05
        bottom = min(float(series.loss.min()) * 1.05, 0.0)
        for crisis in found.crises:
            first, last = date2num(crisis.first), date2num(crisis.last)
            axes.axvspan(first, last, color=canvas.SHADE, linewidth=0)
            label = crisis.short if narrow else f"{crisis.label}\n{crisis.short}"
            axes.annotate(
                label,
                ((first + last) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize="small",
                color=canvas.AMBER,
            )
        # One stroke a pixel column, from the smallest to the largest loss in it: what drawing each day shows.
        at, low, high = _columns(when, series.loss, columns)
        gaps = np.full(len(at), np.nan)
        axes.plot(
            np.repeat(at, 3),
            np.column_stack([np.minimum(low, 0), np.maximum(high, 0), gaps]).ravel(),
            color=canvas.SOFT,
            linewidth=0.9,
            solid_capstyle="butt",
            label="realised loss (gains below zero)",
        )
        at, low, high = _columns(when, series.value_at_risk, columns)
        axes.plot(
            np.repeat(at, 2),
            np.column_stack([low, high]).ravel(),
            color=canvas.ACCENT,
            linewidth=1.1,
            label=f"VaR {formats.confidence(found.confidence)} forecast the day before",
        )
        hit = series.exception
        axes.plot(
            when[hit],
            series.loss[hit],
            linestyle="none",
            marker="o",
            markersize=3.6 if narrow else 4.4,
            markeredgewidth=0,
            color=canvas.LOSS,
            label=f"exception ({formats.count(int(hit.sum()))})",
        )
        axes.axhline(0, color=canvas.INK, linewidth=0.8)
        axes.set_ylim(bottom, top)
        axes.margins(x=0.005)
        axes.set_ylabel("Loss, % of NAV")
        locator = AutoDateLocator(minticks=2, maxticks=6 if narrow else 12)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        figure.legend(loc="outside upper left", ncols=1 if narrow else 3)

    return draw(paint, (1080, 460), (400, 400))


def _columns(
    when: NDArray[np.datetime64], values: NDArray[np.float64], columns: int
) -> tuple[NDArray[np.datetime64], NDArray[np.float64], NDArray[np.float64]]:
    """Return first day, smallest and largest value of at most about `columns` runs of days."""
    starts = np.arange(0, len(values), max(1, -(-len(values) // columns)))
    return when[starts], np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)


def exceptions_by_year(found: Backtest) -> Drawing | None:
    """Return one panel a model: exceptions in each year against what a correct model would show."""
    series = [one for one in found.series if found.years[one.model]]
    if not series:
        return None
    top = max(max(year.exceptions, year.high) for one in series for year in found.years[one.model]) * 1.08

    def paint(figure: Figure, narrow: bool) -> None:
        columns = 1 if narrow or len(series) == 1 else 2
        panels = figure.subplots(-(-len(series) // columns), columns, squeeze=False, sharey=True, sharex=True)
        canvas.spread(figure)
        for axes, one in zip(panels.ravel(), series, strict=False):
            years = found.years[one.model]
            x = np.array([year.year for year in years], dtype=float)
            counts = np.array([year.exceptions for year in years], dtype=float)
            high = np.array([year.high for year in years], dtype=float)
            low = np.array([year.low for year in years], dtype=float)
            expected = np.array([year.expected for year in years])
            outside = counts > high
            axes.fill_between(
                _edges(x),
                np.repeat(low, 2),
                np.repeat(high, 2),
                color=canvas.RULE,
                linewidth=0,
            )
            axes.bar(x[~outside], counts[~outside], 0.66, color=canvas.ACCENT)
            axes.bar(x[outside], counts[outside], 0.66, color=canvas.LOSS)
            axes.plot(_edges(x), np.repeat(expected, 2), color=canvas.INK, linewidth=1.2)
            axes.set_title(_wrapped(one.label) if narrow else one.label)
            axes.set_ylim(0, max(top, 1))
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_locator(MaxNLocator(6 if narrow else 8, integer=True))
        for axes in panels.ravel()[len(series) :]:
            axes.set_visible(False)
        for row in panels:
            row[0].set_ylabel("Exceptions per year")
        # Made here: a series without bars would give its key another colour.
        handles = [
            Patch(color=canvas.RULE, label="95 % range"),
            Line2D([], [], color=canvas.INK, linewidth=1.2, label="expected"),
            Patch(color=canvas.ACCENT, label="exceptions"),
            Patch(color=canvas.LOSS, label="more than the range allows"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2 if narrow else 4)

    rows = -(-len(series) // 2)
    return draw(paint, (1080, 60 + 240 * rows), (400, 60 + 220 * len(series)))


def _edges(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([x - 0.5, x + 0.5]).ravel()


def _wrapped(label: str) -> str:
    return label.replace(", ", ",\n", 1) if len(label) > 34 else label
