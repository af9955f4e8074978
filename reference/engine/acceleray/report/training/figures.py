"""The figures of this page alone; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acceleray.report import canvas, formats
from acceleray.report.canvas import Drawing, draw
from acceleray.report.training.data import Report

# Half the width of a 95 % interval, in standard errors.
_INTERVAL = 1.96


@dataclass(frozen=True)
class Figures:
    """Figures drawn for this page alone."""

    folds: Drawing | None
    importance: Drawing | None


def draw_all(report: Report) -> Figures:
    """Return all figures."""
    return Figures(folds(report), importance(report))


def folds(report: Report) -> Drawing | None:
    """Return the rank IC of each fold with its 95 % interval, and the mean of all dates."""
    shown = [row for row in report.folds if row["rank_ic"] is not None and np.isfinite(row["rank_ic"])]
    if not shown:
        return None
    values = np.array([row["rank_ic"] for row in shown], dtype=np.float64)
    t = np.array([row["rank_ic_t"] or np.nan for row in shown], dtype=np.float64)
    errors = np.nan_to_num(np.abs(values / t)) * _INTERVAL
    ceiling, mean = report.settings.leakage.maximum_rank_ic, report.decision["rank_ic"]

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        places = np.arange(len(shown))
        axes.axhline(0, color=canvas.INK, linewidth=1)
        if mean is not None:
            axes.axhline(
                mean, color=canvas.ACCENT, linewidth=1.2, linestyle=(0, (4, 3)), label="Mean of all dates"
            )
        top = max(float((values + errors).max()), 0.0)
        if not report.simulated and top > 0.6 * ceiling:
            axes.axhline(ceiling, color=canvas.LOSS, linewidth=1.2, label="Above this: probable leakage")
        axes.errorbar(
            places,
            values,
            yerr=errors,
            fmt="o",
            color=canvas.ACCENT,
            ecolor=canvas.SOFT,
            elinewidth=3 if narrow else 5,
            markersize=8,
            label="Rank IC of a fold, 95 % interval",
        )
        names = [f"{row['test_first']:%Y-%m}\n{row['test_last']:%Y-%m}" for row in shown]
        step = -(-len(names) // (5 if narrow else 12))
        axes.set_xticks(places[::step], names[::step])
        axes.set_xlim(-0.6, len(shown) - 0.4)
        axes.set_ylabel("Rank IC")
        axes.set_xlabel("Tested from, to")
        figure.legend(loc="outside upper left", ncols=1 if narrow else 3)

    return draw(paint, (1080, 360), (400, 380))


def importance(report: Report) -> Drawing | None:
    """Return one bar a feature: its share of what the model gained by splitting, the largest on top."""
    shown = sorted(report.features, key=lambda row: (-row["gain"], row["position"]))
    if not any(row["gain"] for row in shown):
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        places = np.arange(len(shown))
        shares = np.array([100 * row["gain"] for row in shown])
        axes.barh(places, shares, color=canvas.ACCENT, height=0.66)
        for place, share in enumerate(shares):
            axes.annotate(
                f"{share:.0f} %",
                (float(share), place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=canvas.MUTED,
                fontsize="small",
            )
        names = [formats.shortened(row["feature"], 22 if narrow else 30) for row in shown]
        axes.set_yticks(places, names, fontsize="small")
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(0, 1.12 * float(shares.max()))
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("Share of the gain, %")

    height = 24 * len(shown) + 60
    return draw(paint, (1080, height), (400, height))
