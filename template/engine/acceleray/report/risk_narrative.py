"""The sentences about simulated risk, the same on every page."""

from __future__ import annotations

from acceleray.report import formats
from acceleray.report.risk import Contributions


def gap(parts: Contributions) -> str:
    """Return whether the contributions add up, in words."""
    name = parts.label.lower()
    if parts.gap is None:
        return f"There is no {name} at this confidence level to compare the sum with."
    if parts.gap <= 1e-6:
        return f"The contributions add up to the {name} of the portfolio (checked before rounding)."
    return (
        f"The contributions miss the {name} of the portfolio by {formats.percent(100 * parts.gap, 4)}:"
        " do not use them."
    )
