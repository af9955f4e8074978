"""Figures of the talk, drawn from measured results: docs/record.json and the published benchmark."""

from __future__ import annotations

import json
import re
from html import escape

from render import ROOT

IMAGES = ROOT / "docs/talk/images"
RECORD = ROOT / "docs/record.json"
BENCHMARKS = ROOT / "template/engine/docs/benchmarks.md"
NAMES = {
    "historical_simulation": "Historical simulation",
    "ewma_normal": "EWMA-normal",
    "filtered_historical_ewma": "Filtered (EWMA)",
    "filtered_historical_calibrated": "Filtered (calibrated)",
}
AGAINST_SPARK = "Spark alone / ours"
TABLE = re.compile(r"^\|.*\|$", re.MULTILINE)
INK = "#1b2733"
WIDTH, STEP, LEFT = 900, 44, 330


def exceptions() -> str:
    """Return a figure of the exceptions of each model on the sample, green where it passes."""
    sample = json.loads(RECORD.read_text(encoding="utf-8"))["sample"]["models"]
    bars = [(NAMES[name], float(each["exceptions"]), bool(each["passed"])) for name, each in sample.items()]
    return bars_of(
        "Exceptions in 7,312 out-of-sample days; a correct model averages 73.1", bars, 73.1, "{:.0f}"
    )


def ratios() -> str:
    """Return a figure of how much faster ours is than the fastest Spark-only implementation of each work."""
    bars = [(name, ratio, ratio > 1.0) for name, ratio in measured(AGAINST_SPARK).items()]
    return bars_of("Fastest Spark-only time / ours; above 1, Ray is faster", bars, 1.0, "{:.2f}")


def measured(column: str) -> dict[str, float]:
    """Return the ratio of each work, by its title without what is in brackets, in a published column."""
    summary = BENCHMARKS.read_text(encoding="utf-8").split("## All implementations")[0]
    lines = TABLE.findall(summary)
    heads, _, *rows = ([cell.strip() for cell in re.findall(r"[^|]+", line)] for line in lines)
    place = heads.index(column)
    found = {row[0].partition(" (")[0]: re.match(r"[\d.]+", row[place]) for row in rows}
    return {name: float(ratio[0]) for name, ratio in found.items() if ratio}


def bars_of(title: str, bars: list[tuple[str, float, bool]], line: float, shape: str) -> str:
    """Return horizontal bars as SVG: name, value, whether it is good; and a line to compare with."""
    height = 60 + STEP * len(bars)
    scale = (WIDTH - LEFT - 90) / max(value for _, value, _ in bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"',
        f' aria-label="{escape(title)}" font-family="Helvetica, Arial, sans-serif" font-size="20">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="28" font-weight="bold" fill="#1b2733">{escape(title)}</text>',
    ]
    for number, (name, value, good) in enumerate(bars):
        y = 48 + STEP * number
        colour = "#1c7a3e" if good else "#b3261e"
        short = name.partition(",")[0]
        parts += [
            f'<text x="{LEFT - 12}" y="{y + 22}" text-anchor="end" fill="#1b2733">{escape(short)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="30" fill="{colour}"/>',
            f'<text x="{LEFT + 8 + clear(value, line, 50 / scale) * scale:.1f}" y="{y + 22}">'
            f"{shape.format(value)}</text>",
        ]
    x = LEFT + line * scale
    parts.append(
        f'<path d="M{x:.1f} 40V{height - 8}" stroke="#1b2733" stroke-dasharray="5 4" stroke-width="2"/>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def clear(value: float, line: float, room: float) -> float:
    """Return where a number begins: at the end of its bar, or past the line if that would cross it."""
    return line if value <= line < value + room else value


FIGURES = {"exceptions": exceptions, "ratios": ratios}


def main() -> None:
    """Write every figure."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, drawn in FIGURES.items():
        (IMAGES / f"{name}.svg").write_text(drawn(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
