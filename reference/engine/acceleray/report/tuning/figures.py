"""The figures of this page; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.report import canvas, formats
from acceleray.report.canvas import Drawing, draw
from acceleray.report.tuning.data import PARAMETERS, Report, Trial
from acceleray.report.tuning.importance import Importance
from acceleray.report.tuning.narrative import plain

LABELS = {
    "max_depth": "Depth",
    "learning_rate": "Learning rate",
    "min_child_weight": "Leaf weight",
    "subsample": "Row share",
    "colsample": "Feature share",
    "reg_lambda": "L2 penalty",
    "rank_ic": "Rank IC",
}
_LOGARITHMIC = ("learning_rate", "min_child_weight", "reg_lambda")
_SHADES = LinearSegmentedColormap.from_list("trials", ["#dfe5ea", "#a9c3dc", canvas.ACCENT])


@dataclass(frozen=True)
class Figures:
    """Figures of this page."""

    curves: Drawing | None
    coordinates: Drawing | None
    importance: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures."""
    return Figures(curves(report), coordinates(report), importance(report.importance))


def curves(report: Report) -> Drawing | None:
    """Return rank IC by boosting rounds, one line a trial; a line ends where its trial was stopped."""
    drawn = [one for one in report.trials if one.curve[0].size]
    if not drawn:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        for rung in report.rungs:
            axes.axvline(rung, color=canvas.RULE, linewidth=1.0, linestyle=(0, (4, 3)), zorder=0)
        axes.axhline(0, color=canvas.INK, linewidth=0.9)
        others = [one for one in drawn if one.number != report.best.number]
        axes.add_collection(
            LineCollection(
                [np.column_stack(one.curve) for one in others], colors=canvas.SOFT, linewidths=1.0, zorder=2
            )
        )
        _ends(axes, others, "stopped", "o", canvas.SOFT, "stopped early")
        _ends(axes, others, "completed", "s", canvas.MUTED, "ran to the end")
        _ends(axes, others, "failed", "x", canvas.LOSS, "failed")
        label = f"trial {report.best.number}, {'chosen' if report.chosen else 'best, not chosen'}"
        axes.plot(*report.best.curve, color=canvas.ACCENT, linewidth=2.4, zorder=4, label=label)
        axes.plot(
            [report.best.rounds],
            [report.best.rank_ic],
            linestyle="none",
            marker="D",
            markersize=8,
            color=canvas.ACCENT,
            zorder=5,
            label=f"its best: {counted(report.best.rounds, 'round')}",
        )
        axes.autoscale_view()
        axes.set_xlim(0, max(float(one.curve[0][-1]) for one in drawn) * 1.03)
        axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 10, integer=True))
        axes.set_xlabel("Boosting rounds")
        axes.set_ylabel("Mean rank IC in validation")
        figure.legend(loc="outside upper left", ncols=2 if narrow else 5)

    return draw(paint, (1080, 430), (400, 420))


def _ends(axes: Axes, trials: list[Trial], status: str, marker: str, colour: str, label: str) -> None:
    found = [one for one in trials if one.status == status]
    if found:
        axes.plot(
            [float(one.curve[0][-1]) for one in found],
            [float(one.curve[1][-1]) for one in found],
            linestyle="none",
            marker=marker,
            markersize=4.5,
            color=colour,
            zorder=3,
            label=label,
        )


def coordinates(report: Report) -> Drawing | None:
    """Return one line a trial across an axis for each hyperparameter and, last, rank IC."""
    shown = report.ranked[::-1]
    if len(shown) < 2:
        return None
    names = (*PARAMETERS, "rank_ic")
    values = np.array([[one.parameters.get(name, one.rank_ic) for name in names] for one in shown])
    places = np.column_stack([_scaled(values[:, at], name) for at, name in enumerate(names)])
    worth = places[:, -1]

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        across = np.arange(len(names), dtype=np.float64)
        lines = [np.column_stack([across, line]) for line in places[:-1]]
        axes.add_collection(
            LineCollection(lines, colors=_SHADES(worth[:-1]), linewidths=1.2, alpha=0.9, zorder=2)
        )
        axes.plot(across, places[-1], color=canvas.AMBER, linewidth=2.6, zorder=4)
        for at in range(len(names)):
            axes.plot([at, at], [0, 1], color=canvas.INK, linewidth=0.9, zorder=3)
            low, high = float(values[:, at].min()), float(values[:, at].max())
            axes.annotate(plain(low), (at, -0.03), ha="center", va="top", color=canvas.MUTED)
            axes.annotate(plain(high), (at, 1.03), ha="center", va="bottom", color=canvas.MUTED)
        axes.set_xlim(-0.35, len(names) - 0.65)
        axes.set_ylim(-0.12, 1.12)
        axes.set_yticks([])
        axes.grid(False)
        axes.set_xticks(across, [LABELS[name] for name in names])
        axes.tick_params(axis="x", length=0, pad=4, labelrotation=90 if narrow else 0)
        for tick in axes.get_xticklabels():
            tick.set_color(canvas.INK)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)

    return draw(paint, (1080, 400), (400, 420))


def _scaled(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return values between 0, the lowest tried, and 1, the highest; by ratio where they were drawn so."""
    found = np.log(values) if name in _LOGARITHMIC else values
    span = np.ptp(found)
    return (found - found.min()) / span if span > 0 else np.full(found.size, 0.5)


def importance(found: Importance) -> Drawing | None:
    """Return one bar a hyperparameter: its share of the variance between trials."""
    if not found.names:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        places = np.arange(len(found.names))
        shares = 100 * np.array(found.shares)
        axes.barh(places, shares, 0.6, color=canvas.ACCENT, linewidth=0)
        for place, share, correlation in zip(places, shares, found.correlations, strict=True):
            text = f"{formats.percent(float(share), 0)}  ({_direction(correlation)})"
            axes.annotate(text, (share, place), xytext=(8, 0), textcoords="offset points", va="center")
        axes.set_yticks(places, [LABELS[name] for name in found.names])
        for tick in axes.get_yticklabels():
            tick.set_color(canvas.INK)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.invert_yaxis()
        axes.set_xlim(0, float(shares.max()) * (1.9 if narrow else 1.35))
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4 if narrow else 8))
        axes.set_xlabel("Share of the variance of rank IC between trials, %")

    height = 40 * len(found.names) + 70
    return draw(paint, (1080, height), (400, height))


def _direction(correlation: float) -> str:
    if not abs(correlation) >= 0.2:
        return "no clear direction"
    return "higher was better" if correlation > 0 else "lower was better"
