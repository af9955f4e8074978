"""The figure of all fits: how long shocks last, how heavy tails are, and how volatile tomorrow looks."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from acceleray.report import canvas, formats
from acceleray.report.canvas import Drawing, draw
from acceleray.report.fits import Calibrated, Fits

LABELLED_INSTRUMENTS = 25
# Degrees of freedom that are marked where they reach far; arch allows up to 500.
_TAILS = (2, 5, 10, 20, 50, 100, 200, 500)


def scatter(fits: Fits) -> Drawing | None:
    """Return shock memory against tail weight, and tomorrow's volatility against the average."""
    fitted = [fit for fit in fits.fitted if np.isfinite([fit.persistence, fit.nu]).all()]
    if not fitted:
        return None

    def paint(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots(*((2, 1) if narrow else (1, 2)))
        canvas.spread(figure)
        left, right = axes
        names = [fit.instrument for fit in fitted]
        _scatter(left, fitted, [fit.persistence for fit in fitted], [fit.nu for fit in fitted], names)
        left.set_title("Memory and tails")
        left.set_xlabel("Persistence (at 1 a shock is never forgotten)")
        left.set_ylabel("Student-t degrees of freedom (low: heavy tails)")
        left.axvline(1.0, color=canvas.LOSS, linewidth=1.0, linestyle=(0, (4, 3)))
        if max(fit.nu for fit in fitted) > 40:
            left.set_yscale("log")
            ticks = [tick for tick in _TAILS if tick <= 1.3 * max(fit.nu for fit in fitted)]
            left.set_yticks(ticks, [str(tick) for tick in ticks])
            left.yaxis.set_minor_locator(NullLocator())
        known = [fit for fit in fitted if np.isfinite(fit.average_volatility_pct)]
        average = [fit.average_volatility_pct for fit in known]
        ahead = [fit.next_volatility_pct for fit in known]
        _scatter(right, known, average, ahead, [fit.instrument for fit in known])
        if known:
            ends = [min(average + ahead), max(average + ahead)]
            right.plot(ends, ends, color=canvas.MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        right.set_title("Volatility: next day against average")
        right.set_xlabel("Daily volatility over the days fitted, %")
        right.set_ylabel("Forecast for the next day, %")
        for panel in axes:
            panel.grid(True, axis="both")
            panel.xaxis.set_major_locator(MaxNLocator(5 if narrow else 8))
            panel.margins(0.08)

    return draw(paint, (1080, 400), (400, 720))


def _scatter(axes: Axes, fits: list[Calibrated], x: list[float], y: list[float], names: list[str]) -> None:
    for bound, colour, label in (
        (False, canvas.ACCENT, "inside"),
        (True, canvas.LOSS, "parameter at a bound"),
    ):
        chosen = [i for i, fit in enumerate(fits) if bool(fit.at_bound) is bound]
        axes.plot(
            [x[i] for i in chosen],
            [y[i] for i in chosen],
            linestyle="none",
            marker="o",
            markersize=6 if len(fits) <= LABELLED_INSTRUMENTS else 4,
            markeredgewidth=0,
            color=colour,
            alpha=0.85,
            label=label,
        )
    if names and len(names) <= LABELLED_INSTRUMENTS:
        for i in _apart(x, y):
            name = names[i]
            axes.annotate(
                formats.shortened(name, 12),
                (x[i], y[i]),
                xytext=(5, 3),
                textcoords="offset points",
                fontsize="x-small",
                color=canvas.MUTED,
            )


def _apart(x: list[float], y: list[float]) -> list[int]:
    """Return the points whose labels, up and to the right of them, cover no point and no other label."""
    across = (np.array(x) - min(x)) / ((max(x) - min(x)) or 1.0)
    up = (np.array(y) - min(y)) / ((max(y) - min(y)) or 1.0)
    kept: list[int] = []
    for i in range(len(x)):
        covers_point = any(
            0 < across[j] - across[i] < 0.1 and -0.02 < up[j] - up[i] < 0.06 for j in range(len(x)) if j != i
        )
        covers_label = any(abs(across[i] - across[j]) < 0.1 and abs(up[i] - up[j]) < 0.045 for j in kept)
        if not covers_point and not covers_label:
            kept.append(i)
    return kept
