"""The measures that a limit can be on: what each may be given in, and which keys belong to it."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.stages.limits.amounts import DAYS, PERCENT

MONEY = "currency"
"""Any amount of money, in the base currency of the portfolio."""
WORST = "worst"
"""The scenario of a limit on whatever scenario loses most."""


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: as the file and tables call it.
        words: for people.
        units: `PERCENT`, `MONEY`, `DAYS`: in which of these a limit may be given.
        keys: of the file, those that belong to this measure besides the ones of every limit.
        needed: those of them that have no default.
        sign: what a value below zero is: `loss`, a gain, which uses no limit; `either`, as much as above it.
    """

    name: str
    words: str
    units: tuple[str, ...]
    keys: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    sign: str = "either"


_SIMULATED = ("horizon_d", "method", "group", "group_value")
_GROUP = ("group", "group_value")
MEASURES: dict[str, Measure] = {
    each.name: each
    for each in (
        Measure("value_at_risk", "Value at risk", (PERCENT, MONEY), _SIMULATED, sign="loss"),
        Measure("expected_shortfall", "Expected shortfall", (PERCENT, MONEY), _SIMULATED, sign="loss"),
        Measure("gross_exposure", "Gross exposure", (PERCENT, MONEY), _GROUP),
        Measure("net_exposure", "Net exposure", (PERCENT, MONEY), _GROUP),
        Measure("weight", "Weight", (PERCENT, MONEY), _GROUP, ("group",)),
        Measure("stress_loss", "Stress loss", (PERCENT, MONEY), ("scenario",), ("scenario",), "loss"),
        Measure("tracking_error", "Tracking error", (PERCENT,), ("horizon_d", "method")),
        Measure("days_to_liquidate", "Days to liquidate", (DAYS,)),
        Measure("unpriced", "Unpriced share", (PERCENT,)),
    )
}
