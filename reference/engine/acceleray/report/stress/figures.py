"""The figures of this page alone; each function returns a drawing, or None where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from acceleray.report import canvas, formats
from acceleray.report.canvas import Drawing, draw
from acceleray.report.risk import Horizon
from acceleray.report.stress.data import Report
from acceleray.report.stress.scenarios import KINDS, Scenario

SHOWN_SCENARIOS = 40
_COLOURS = (canvas.ACCENT, "#8fb3d4", "#c9ced3")
_PARTS = ("factors", "own changes", "compounding")
_MARKET_PARTS = ("market", "own moves", "compounding")
_LINES = ((canvas.ACCENT, "-"), (canvas.LOSS, (0, (5, 2))), (canvas.AMBER, (0, (1, 1.5))))


@dataclass(frozen=True)
class Figures:
    """Figures drawn for this page alone."""

    losses: Drawing | None
    # How many scenarios the figure of losses leaves out.
    left_out: int
    distribution: Drawing | None
    attribution: Drawing | None


@dataclass(frozen=True)
class _Bar:
    label: str
    group: str
    parts: tuple[float, ...]
    whole: float


def draw_all(report: Report) -> Figures:
    """Return all figures except those of the backtest, which have a separate module."""
    priced = report.scenarios.priced
    return Figures(
        losses(priced, report.naming.called),
        max(0, len(priced) - SHOWN_SCENARIOS),
        distribution(report),
        attribution(report),
    )


def losses(priced: Sequence[Scenario], called: str) -> Drawing | None:
    """Return one bar a scenario: the loss of the portfolio `called` so in its parts, by kind of scenario."""
    largest = sorted(priced, key=lambda one: -abs(one.reference.loss_pct_nav) if one.reference else 0.0)[
        :SHOWN_SCENARIOS
    ]
    bars = [
        _Bar(
            one.title,
            KINDS.get(one.kind, one.kind),
            (loss.factor_pct_nav, loss.specific_pct_nav, loss.residual_pct_nav),
            loss.loss_pct_nav,
        )
        for one in priced
        if one in largest and (loss := one.reference)
    ]
    return _stacked(bars, _PARTS, f"Loss of {called}, % of NAV (gains are negative)")


def attribution(report: Report) -> Drawing | None:
    """Return one bar a method and horizon: the expected shortfall in its parts."""
    bars = [
        _Bar(
            formats.days(one.horizon_d),
            one.label,
            (one.factor, one.specific, one.residual),
            one.whole,
        )
        for one in report.simulated.attribution
    ]
    return _stacked(bars, _MARKET_PARTS, f"Expected shortfall of {report.naming.called}, % of NAV")


def _stacked(bars: list[_Bar], parts: tuple[str, ...], label: str) -> Drawing | None:
    if not bars:
        return None
    groups = list(dict.fromkeys(bar.group for bar in bars))
    # A separate line for the name of each group.
    places, heads, row = [], [], 0.0
    for group in groups:
        heads.append(row)
        row += 0.85
        for bar in bars:
            if bar.group == group:
                places.append(row)
                row += 1.0
        row += 0.25
    bars = [bar for group in groups for bar in bars if bar.group == group]

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        y = np.array(places)
        values = np.array([bar.parts for bar in bars])
        positive, negative = np.zeros(len(bars)), np.zeros(len(bars))
        for part, (name, colour) in enumerate(zip(parts, _COLOURS, strict=True)):
            width = values[:, part]
            start = np.where(width >= 0, positive, negative)
            axes.barh(y, width, 0.62, left=start, color=colour, linewidth=0, label=name)
            positive += np.maximum(width, 0)
            negative += np.minimum(width, 0)
        whole = np.array([bar.whole for bar in bars])
        axes.plot(
            whole, y, linestyle="none", marker="D", markersize=6, color=canvas.INK, label="whole", zorder=4
        )
        low, high = min(float(negative.min()), 0.0), max(float(positive.max()), 0.0)
        span = (high - low) or 1.0
        for place, bar, reach in zip(y, bars, np.maximum(positive, whole), strict=True):
            axes.annotate(
                formats.percent(bar.whole, 1),
                (max(reach, 0.0), place),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontweight="bold",
            )
        # A line through a name would be in the reader's way.
        clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        axes.set_xlim(low - 0.02 * span, high + (0.2 if narrow else 0.1) * span)
        axes.axvline(0, color=canvas.INK, linewidth=0.9)
        axes.set_ylim(row - 0.4, -0.6)
        ticks = [(head, group, True) for head, group in zip(heads, groups, strict=True)]
        if narrow:
            axes.set_yticks([])
            # Names stand above their bars, where there is the whole width for them.
            names = [
                (place - 0.36, formats.shortened(bar.label, 46)) for place, bar in zip(y, bars, strict=True)
            ]
            for place, text in names:
                axes.annotate(text, (low, place), va="bottom", fontsize="small", bbox=clear).set_in_layout(
                    False
                )
            for head, group, _ in ticks:
                axes.annotate(
                    formats.shortened(group, 44),
                    (low, head - 0.1),
                    va="center",
                    fontweight="bold",
                    bbox=clear,
                ).set_in_layout(False)
        else:
            ticks += [
                (place, formats.shortened(bar.label, 44), False) for place, bar in zip(y, bars, strict=True)
            ]
            axes.set_yticks([place for place, _, _ in ticks], [text for _, text, _ in ticks])
            for tick, (_, _, head) in zip(axes.get_yticklabels(), ticks, strict=True):
                tick.set_color(canvas.INK)
                tick.set_fontweight("bold" if head else "normal")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 9))
        axes.set_xlabel(label if not narrow else label.split(" (")[0])
        figure.legend(loc="outside upper left", ncols=2 if narrow else 4)

    return draw(paint, (1080, int(30 * row) + 90), (400, int(42 * row) + 110))


def distribution(report: Report) -> Drawing | None:
    """Return the loss distributions of all methods over each other: all of each horizon, and its tail."""
    drawn = [one for one in report.simulated.horizons if one.scenarios.sum() > 0]
    if not drawn:
        return None
    spans = sorted({one.horizon_d for one in drawn})

    def paint(figure: Figure, narrow: bool) -> None:
        shape = (2 * len(spans), 1) if narrow else (len(spans), 2)
        axes = figure.subplots(*shape, squeeze=False).ravel()
        canvas.spread(figure)
        for index, span in enumerate(spans):
            found = [one for one in drawn if one.horizon_d == span]
            name = formats.days(span)
            _densities(axes[2 * index], found, False, f"{name}: all scenarios")
            _densities(axes[2 * index + 1], found, True, f"{name}: the tail, on a logarithmic scale")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else len(labels))

    return draw(paint, (1080, 300 * len(spans) + 40), (400, 520 * len(spans) + 70))


def _densities(axes: Axes, found: list[Horizon], tail: bool, title: str) -> None:
    lows, highs, peak, floor = [], [], 0.0, np.inf
    for one, (colour, style) in zip(found, _LINES * len(found), strict=False):
        width = np.diff(one.edges)
        share = 100 * one.scenarios / one.scenarios.sum()
        # Bins of different width are compared by density, in per cent of scenarios for a per cent of NAV.
        density = np.divide(share, width, out=np.zeros(len(width)), where=width > 0)
        cumulative = np.cumsum(share)
        lows.append(one.edges[int(np.searchsorted(cumulative, 97.0 if tail else 0.05))])
        highs.append(one.edges[min(int(np.searchsorted(cumulative, 99.999)) + 1, len(width))])
        axes.plot(
            np.repeat(one.edges, 2)[1:-1],
            np.repeat(np.where(density > 0, density, np.nan) if tail else density, 2),
            color=colour,
            linestyle=style,
            linewidth=1.5,
            label=one.label,
        )
        peak = max(peak, float(density.max()))
        floor = min(floor, float(density[density > 0].min()))
        for measure, height in (("value_at_risk", 0.05), ("expected_shortfall", 0.05)):
            mark = one.measure(measure)
            if tail and mark:
                axes.plot(
                    [mark.value_pct_nav],
                    [height],
                    transform=axes.get_xaxis_transform(),
                    marker="^" if measure == "value_at_risk" else "v",
                    markersize=8,
                    linestyle="none",
                    color=colour,
                )
    axes.set_xlim(min(lows), max(highs))
    if tail:
        axes.set_yscale("log")
        decades = np.arange(np.floor(np.log10(floor)), np.log10(peak) + 1)
        axes.set_yticks(10.0**decades, [f"{10.0**power:g}" for power in decades])
        axes.yaxis.set_minor_locator(MaxNLocator(1))
        axes.set_ylim(floor / 3, None)
    else:
        axes.set_ylim(0, peak * 1.05)
        axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_title(title)
    axes.set_xlabel("Simulated loss, % of NAV (gains are negative)")
    axes.set_ylabel("% of scenarios per % of NAV")
