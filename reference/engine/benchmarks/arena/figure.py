"""Results as a picture: warm seconds of every side, work by work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from arena.outcome import LIMIT, OURS, USUAL

INK, MUTED, RULE = "#1b2733", "#5a6672", "#d9dfe5"
_COLOURS = {OURS: "#1c5a93", LIMIT: "#8b97a3", USUAL: "#b5523b"}
_SPARK = "#e0a458"
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 11.0,
    "text.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "portfolio",
}


def write(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write an SVG with a panel for each work: medians as bars, lowest to highest run as a line."""
    shown = [row for row in rows if any("error" not in side for side in row["sides"].values())]
    if not shown:
        return
    heights = [len(row["sides"]) + 1.2 for row in shown]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9.5, 0.27 * sum(heights) + 0.6), layout="constrained")
        FigureCanvasSVG(figure)
        panels = figure.subplots(len(shown), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for panel, row in zip(panels, shown, strict=True):
            _panel(panel, row)
        panels[-1].set_xlabel("seconds, warm: median, and lowest to highest run", color=MUTED)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(panel: Any, row: Mapping[str, Any]) -> None:
    sides = {name: side for name, side in row["sides"].items() if "error" not in side}
    for place, (name, side) in enumerate(sides.items()):
        colour = _COLOURS.get(name, _COLOURS[OURS] if name.startswith(OURS) else _SPARK)
        panel.barh(place, side["median_s"], height=0.66, color=colour)
        panel.plot([side["low_s"], side["high_s"]], [place, place], color=INK, linewidth=1.2)
        label = f" {side['median_s']:.3g} s"
        panel.text(max(side["median_s"], side["high_s"]), place, label, va="center", fontsize=9.5)
    panel.set_yticks(range(len(sides)), [name.replace("_", " ") for name in sides])
    panel.invert_yaxis()
    panel.margins(x=0.14)
    panel.set_title(row["title"], loc="left", fontsize=11.0, fontweight="bold")
    panel.tick_params(colors=MUTED, length=0)
    panel.grid(axis="x", color=RULE, linewidth=0.8)
    panel.set_axisbelow(True)
    for edge in ("top", "right", "left"):
        panel.spines[edge].set_visible(False)
    panel.spines["bottom"].set_color(RULE)
