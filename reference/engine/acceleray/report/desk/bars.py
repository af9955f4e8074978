"""Horizontal bars as SVG, written directly: Matplotlib takes too long for the figures of a hundred pages."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from acceleray.report.canvas import ACCENT, FONTS, INK, MUTED, RULE, Drawing
from acceleray.report.formats import printable, shortened

_ROW, _TOP = 22, 10
GOOD = "#17693c"


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its length, the value written at its end; indent and weight of the label."""

    label: str
    value: float
    text: str
    indent: int = 0
    strong: bool = False


def bars(found: Sequence[Bar], unit: str) -> Drawing | None:
    """Return bars that share one zero line, for page and phone; None without any.

    A bar to the left of zero is a hedge or a gain, and has another colour.
    """
    if not found:
        return None
    return Drawing(_address(_drawn(found, unit, 1080, 310)), _address(_drawn(found, unit, 400, 128)))


def _drawn(found: Sequence[Bar], unit: str, width: int, labels: int) -> str:
    low = min([0.0, *(bar.value for bar in found)])
    high = max([0.0, *(bar.value for bar in found)])
    span = (high - low) or 1.0
    # Room for the value at either end of a bar.
    text = 9 * max(len(bar.text) for bar in found)
    left, right = labels + (text if low < 0.0 else 6), width - text
    scale = max(right - left, 20) / span
    zero = left - low * scale
    height = 2 * _TOP + _ROW * len(found) + 18
    size, letters = (13, 40) if width > 600 else (11.5, 17)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="{escape(FONTS)}" font-size="{size}">',
        f'<path d="M{zero:.1f} {_TOP}V{height - 26}" stroke="{RULE}"/>',
    ]
    for place, bar in enumerate(found):
        middle = _TOP + _ROW * place + _ROW / 2
        start, end = sorted((zero, zero + bar.value * scale))
        colour = ACCENT if bar.value >= 0.0 else GOOD
        weight = ' font-weight="bold"' if bar.strong else ""
        indent = min(bar.indent, 6) * 12
        label = escape(shortened(printable(bar.label), letters - bar.indent))
        parts.append(
            f'<text x="{4 + indent}" y="{middle + 4.5:.1f}" fill="{INK}"{weight}>{label}</text>'
            f'<rect x="{start:.1f}" y="{middle - 7:.1f}" width="{max(end - start, 0.5):.1f}" height="14"'
            f' rx="2" fill="{colour}"/>'
        )
        anchor, at = ("start", end + 5) if bar.value >= 0.0 else ("end", start - 5)
        parts.append(
            f'<text x="{at:.1f}" y="{middle + 4.5:.1f}" fill="{MUTED}"'
            f' text-anchor="{anchor}">{escape(bar.text)}</text>'
        )
    parts.append(f'<text x="{zero:.1f}" y="{height - 8}" fill="{MUTED}">{escape(unit)}</text></svg>')
    return "".join(parts)


def _address(svg: str) -> str:
    encoded = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
