"""The figures of a model document that no other page has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from matplotlib.figure import Figure

from acceleray.report import canvas
from acceleray.report.canvas import draw
from acceleray.report.model_document.tree import Picture

# Day of a fit; median persistence, degrees of freedom and volatility forecast.
Medians = Sequence[tuple[date, float | None, float | None, float | None]]
_FEWEST = 2


def parameters(found: Medians) -> Picture | None:
    """Return the medians of the scheduled fits through time; None with fewer than two of them."""
    if len(found) < _FEWEST:
        return None
    days = np.array([row[0] for row in found], dtype="datetime64[D]")
    series = np.array(
        [[np.nan if value is None else value for value in row[1:]] for row in found], dtype=np.float64
    )
    titles = ("Persistence", "Degrees of freedom", "Volatility forecast, per day")

    def paint(figure: Figure, narrow: bool) -> None:
        shape = (3, 1) if narrow else (1, 3)
        for axes, values, title in zip(figure.subplots(*shape).ravel(), series.T, titles, strict=True):
            axes.plot(days, values, color=canvas.ACCENT, marker="o", markersize=3.5, linewidth=1.4)
            axes.set_title(title)
            axes.tick_params(axis="x", labelrotation=30)
        canvas.spread(figure)

    caption = "Median over the instruments of each scheduled fit; the numbers are in the table below."
    return Picture(draw(paint, (1080, 300), (400, 640)), "Median parameters of each scheduled fit.", caption)
