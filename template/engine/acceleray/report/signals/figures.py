"""The figures of the signals page; each is a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from acceleray.report import canvas, formats, heat
from acceleray.report.canvas import Drawing, draw
from acceleray.report.signals.data import Decay, Line, Map, Report

SHOWN_DECAYS = 12
_COLOURS = {"use": "#17693c", "watch": canvas.AMBER, "suspect": canvas.LOSS, "reject": canvas.MUTED}
_CORRELATIONS = heat.Scale(tuple(round(-1 + 0.2 * i, 1) for i in range(11)), heat.DIVERGING)
_TICKS_D = (1, 5, 21, 63, 252)


@dataclass(frozen=True)
class Figures:
    """Figures of this page."""

    intervals: Drawing | None
    decay: Drawing | None
    years: Drawing | None
    alike: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures."""
    return Figures(
        intervals(report.lines),
        decay(report.decay),
        years(report.years),
        alike(report.alike),
    )


def intervals(lines: tuple[Line, ...]) -> Drawing | None:
    """Return a forest plot: the rank IC of every line with its interval, in the order of the table."""
    drawn = [line for line in lines if line.bar is not None]
    if not drawn:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=canvas.INK, linewidth=1)
        rows = np.arange(len(drawn))
        for decision, colour in _COLOURS.items():
            chosen = [row for row in rows if drawn[row].decision == decision]
            if not chosen:
                continue
            low, high, middle = (
                [drawn[row].numbers[name] for row in chosen]
                for name in ("rank_ic_low", "rank_ic_high", "rank_ic")
            )
            axes.hlines(chosen, low, high, color=colour, linewidth=1.8)
            axes.plot(middle, chosen, "o", color=colour, markersize=5.5, markeredgewidth=0, label=decision)
        length = 16 if narrow else 26
        names = [f"{formats.shortened(line.signal, length)}, {line.horizon_d}d" for line in drawn]
        axes.set_yticks(rows, names, fontsize="small")
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.set_xlabel("Mean rank IC, 95 % block-bootstrap interval")
        figure.legend(loc="outside upper left", ncols=4)

    height = 17 * len(drawn) + 110
    return draw(paint, (1080, height), (400, height))


def decay(found: Decay) -> Drawing | None:
    """Return a panel for each signal: rank IC with the one-day return so many days ahead."""
    shown = [row for row in range(len(found.signals)) if np.isfinite(found.rank_ic[row]).any()]
    shown = shown[:SHOWN_DECAYS]
    if not shown:
        return None
    values = found.rank_ic[shown]
    reach = 1.1 * max(float(np.nanmax(np.abs(values))), 1e-6)
    ticks = [day for day in _TICKS_D if found.ahead_d[0] <= day <= found.ahead_d[-1]]

    def paint(figure: Figure, narrow: bool) -> None:
        across = 2 if narrow else 4
        down = -(-len(shown) // across)
        panels = np.atleast_1d(figure.subplots(down, across, sharex=True, sharey=True, squeeze=False))
        canvas.spread(figure)
        for axes, row in zip(panels.flat, shown, strict=False):
            axes.axhline(0, color=canvas.INK, linewidth=0.8)
            axes.set_xscale("log")
            axes.plot(found.ahead_d, found.rank_ic[row], color=canvas.ACCENT, linewidth=1.6, marker=".")
            half_life = found.half_life_d[row]
            if half_life <= found.ahead_d[-1]:
                axes.axvline(half_life, color=canvas.AMBER, linewidth=1.2, linestyle=(0, (4, 3)))
            name = formats.shortened(found.signals[row], 18 if narrow else 26)
            axes.set_title(name, fontsize="small")
            axes.set_ylim(-reach, reach)
            axes.set_xlim(0.9 * found.ahead_d[0], 1.1 * found.ahead_d[-1])
            axes.set_xticks(ticks, [str(day) for day in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
        for axes in list(panels.flat)[len(shown) :]:
            axes.set_visible(False)
        figure.supxlabel("Days ahead", color=canvas.MUTED, fontsize="medium")

    return draw(paint, (1080, 150 * -(-len(shown) // 4) + 60), (400, 130 * -(-len(shown) // 2) + 60))


def years(found: Map) -> Drawing | None:
    """Return the rank IC of each signal in each year as a map."""
    if not np.isfinite(found.values).any():
        return None
    reach = float(np.nanquantile(np.abs(found.values), 0.95)) or 1.0
    edges = tuple(round(reach * (-1 + 0.2 * step), 3) for step in range(11))
    steps = heat.Scale(edges, heat.DIVERGING)

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        heat.fill(axes, found.values, steps)
        heat.key(figure, axes, steps, "Mean rank IC", 2, True)
        length = 14 if narrow else 26
        axes.set_yticks(
            range(len(found.rows)), [formats.shortened(name, length) for name in found.rows], fontsize="small"
        )
        places = np.arange(0, len(found.columns), -(-len(found.columns) // (5 if narrow else 17)))
        axes.set_xticks(places, [found.columns[place] for place in places], fontsize="small")

    height = 19 * len(found.rows) + 120
    return draw(paint, (1080, height), (400, height))


def alike(found: Map) -> Drawing | None:
    """Return the rank correlation of all pairs of signals as a map."""
    count = len(found.rows)
    if count < 2:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        heat.fill(axes, found.values, _CORRELATIONS)
        heat.key(figure, axes, _CORRELATIONS, "Rank correlation", 1, False)
        names = [formats.shortened(name, 12 if narrow else 24) for name in found.rows]
        axes.set_yticks(range(count), names, fontsize="small")
        axes.set_xticks(range(count), names, fontsize="small", rotation=90)

    return draw(paint, (1080, 20 * count + 270), (400, 17 * count + 210))
