"""The figure of the overview: value at risk of every portfolio."""

from __future__ import annotations

from acceleray.report.canvas import Drawing
from acceleray.report.desk.bars import Bar, bars
from acceleray.report.desk.overview import Overview
from acceleray.report.formats import percent

# More bars are no figure any more; the riskiest are drawn then.
MOST_BARS = 40


def drawn(found: Overview) -> Drawing | None:
    """Return a bar for each portfolio in the order of the table; of many the riskiest, in that order."""
    known = [line for line in found.lines if line.var is not None]
    if len(known) > MOST_BARS:
        kept = sorted(known, key=lambda line: -line.var.pct_nav if line.var else 0.0)[:MOST_BARS]
        places = {line.place for line in kept}
        known = [line for line in known if line.place in places]
    made = [
        Bar(line.name, line.var.pct_nav, percent(line.var.pct_nav), line.depth, not line.depth)
        for line in known
        if line.var is not None
    ]
    return bars(made, "% of NAV")
