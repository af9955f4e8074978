"""Heat maps as vector drawings: colours in steps, a step a path, so that thousands of cells stay small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

# Dark is more. Seven steps are as many as an eye tells apart in a map.
BLUES = ("#eef4fa", "#cfdfee", "#a8c5df", "#7ba6cc", "#4d84b5", "#285f94", "#123c68")
# Negative red, positive blue, white around zero; readable without telling red from green.
DIVERGING = (
    *("#a32019", "#c85b4f", "#e09a8e", "#f1cfc8", "#f7efed"),
    *("#edf2f7", "#cfdfee", "#9dbfdc", "#5a8dbc", "#1f578c"),
)
# A cell that was tried and has no value.
WITHOUT = "#c9ced3"


@dataclass(frozen=True)
class Scale:
    """Steps of values with their colours: `edges` of shape (steps + 1,), the outer two open."""

    edges: tuple[float, ...]
    colours: tuple[str, ...]

    def step(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the step of each value, -1 where there is none."""
        inner = np.asarray(self.edges[1:-1])
        found = np.searchsorted(inner, values, side="right").astype(np.int64)
        return np.where(np.isfinite(values), found, -1)


def scale(values: NDArray[np.float64]) -> Scale:
    """Return up to seven steps with round edges that reach from the smallest to the largest common value."""
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (0.02, 0.98)) if known.size else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(high), 1e-9):
        low, high = low - max(abs(low) * 0.05, 1e-9), high + max(abs(high) * 0.05, 1e-9)
    edges = MaxNLocator(len(BLUES), min_n_ticks=3).tick_values(low, high)
    edges = tuple(float(edge) for edge in edges[: len(BLUES) + 1])
    places = np.linspace(0, len(BLUES) - 1, len(edges) - 1).round().astype(int)
    return Scale(edges, tuple(BLUES[place] for place in places))


def fill(
    axes: Axes, values: NDArray[np.float64], steps: Scale, tried: NDArray[np.bool_] | None = None
) -> None:
    """Draw values of shape (rows, columns), row 0 on top, cell (i, j) around (j, i).

    A cell without a value is grey where `tried` says that there should be one, else empty.
    """
    step = steps.step(values)
    if tried is not None:
        step = np.where((step < 0) & tried, len(steps.colours), step)
    for place, colour in enumerate((*steps.colours, WITHOUT)):
        corners = [corner for row in range(step.shape[0]) for corner in _runs(step[row] == place, row)]
        if corners:
            codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * (len(corners) // 5)
            axes.add_patch(PathPatch(Path(corners, codes), facecolor=colour, edgecolor="none", linewidth=0))
    rows, columns = values.shape
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.grid(False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def key(figure: Figure, axes: Axes, steps: Scale, label: str, digits: int, open_ends: bool) -> None:
    """Draw the steps with their edges above the axes; with `open_ends` the outer steps hold all beyond."""
    norm = BoundaryNorm(steps.edges, len(steps.colours))
    mappable = ScalarMappable(norm, ListedColormap(list(steps.colours)))
    bar = figure.colorbar(
        mappable, ax=axes, location="top", shrink=0.9, aspect=60, pad=0.01, spacing="uniform", drawedges=False
    )
    labels = [f"{edge:.{digits}f}".replace("-", "\u2212") for edge in steps.edges]
    if open_ends:
        labels = [f"\u2264 {labels[0]}", *labels[1:-1], f"\u2265 {labels[-1]}"]
    bar.set_ticks(list(steps.edges), labels=labels)
    bar.ax.tick_params(length=0, labelsize="small")
    bar.ax.set_title(label, fontsize="medium", pad=5)
    bar.outline.set_visible(False)


def _runs(cells: NDArray[np.bool_], row: int) -> list[tuple[float, float]]:
    """Return the corners of a rectangle for every run of true cells, five to a rectangle."""
    padded = np.concatenate([[False], cells, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    corners: list[tuple[float, float]] = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        left, right, top, bottom = first - 0.5, last - 0.5, row - 0.46, row + 0.46
        corners += [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return corners
