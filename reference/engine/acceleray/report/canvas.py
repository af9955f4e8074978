"""How a figure becomes part of the page: drawn twice, once wide and once for a phone, as compact SVG."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK = "#1b2733"
MUTED = "#5a6672"
RULE = "#d9dfe5"
ACCENT = "#1c5a93"
SOFT = "#a9bccd"
LOSS = "#b3261e"
TAIL = "#e9a7a1"
AMBER = "#9a5b00"
SHADE = "#f3ead9"

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

# Sizes are in pixels of the page: a figure is as many points wide as the page gives it pixels.
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 12.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": "#8b97a3",
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 13.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": "#8b97a3",
    "ytick.color": "#8b97a3",
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 12.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    # Text stays text: small, sharp, and in the reader's own fonts, whatever script a name is written in.
    "svg.fonttype": "none",
    # Names inside the SVG come from its content alone: the same numbers give the same bytes.
    "svg.hashsalt": "portfolio",
}


@dataclass(frozen=True)
class Drawing:
    """One figure in two shapes, each a `data:` address of an SVG image."""

    wide: str
    narrow: str


Painter = Callable[[Figure, bool], None]


def draw(painter: Painter, wide: tuple[int, int], narrow: tuple[int, int]) -> Drawing:
    """Return what `painter(figure, narrow)` draws, at (width, height) in pixels for page and phone."""
    return Drawing(_svg(painter, wide, False), _svg(painter, narrow, True))


def spread(figure: Figure) -> None:
    """Leave room between panels, so that one panel's axis label is not read as the next one's title."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(h_pad=10 / 72, w_pad=6 / 72, hspace=0.02, wspace=0.03)


def _svg(painter: Painter, size: tuple[int, int], narrow: bool) -> str:
    style = _STYLE | ({"font.size": 11.5, "axes.titlesize": 12.5, "legend.fontsize": 10.5} if narrow else {})
    with mpl.rc_context(style), warnings.catch_warnings():
        # The browser, not Matplotlib, finds the glyphs.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        canvas = FigureCanvasSVG(figure)
        painter(figure, narrow)
        buffer = io.StringIO()
        # `savefig` would draw everything once more before, to lay it out; drawing lays out as well.
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    encoded = base64.b64encode(_compact(buffer.getvalue()).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"


def _compact(svg: str) -> str:
    """Return the SVG without preamble and metadata, coordinates to a hundredth of a pixel."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("'DejaVu Sans'", FONTS)
    svg = re.sub(r' d="[^"]*"', lambda found: _rounded(found.group()), svg)
    svg = re.sub(r' [xy]="[-0-9.]+"', lambda found: _rounded(found.group()), svg)
    return re.sub(r"\n\s*", "\n", svg)


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found.group()):.2f}".rstrip("0").rstrip("."), text)
