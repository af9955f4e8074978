"""Findings, their kinds, and their severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""From grave to harmless: an error makes numbers wrong, a warning may, an information does not."""

KINDS: dict[str, str] = {
    "looks_like_returns": "returns in place of prices",
    "frequency": "not daily",
    "field_names": "fields in place of instruments",
    "no_price": "no usable price",
    "split": "unadjusted split",
    "scale": "change of unit",
    "looks_like_rates": "rates or cumulated returns in place of prices",
    "twin": "the same prices twice",
    "reversal": "bad print",
    "jump": "jump",
    "proxied": "no model of its own",
    "quarantined": "quarantined cells",
    "not_positive": "prices at or below zero",
    "arithmetic": "arithmetic changes",
    "ended": "ends before the file",
    "shifted_dates": "dates a day off",
    "filled_weekends": "filled weekends",
    "filled_holidays": "filled holidays",
    "gap": "months without prices",
    "standing_still": "standing still",
    "coarse": "too few decimals",
    "extreme": "extreme magnitude",
    "lead_lag": "asynchronous closes",
    "history_changed": "changed history",
    "correction_unused": "correction without effect",
    "readjusted": "re-adjusted history",
    "corrected": "corrected",
    "cash_like": "cash or nearly cash",
    "understood": "how the file was read",
}
"""Every kind in the order in which findings are listed, and its name for people."""

THE_FILE = ""
"""Stands for the instrument of a finding that is about all prices together."""


@dataclass(frozen=True)
class Finding:
    """One surprise in the prices.

    Attributes:
        kind: one of `KINDS`.
        severity: one of `SEVERITIES`.
        instrument: whose prices, or `THE_FILE`.
        first: first day it is about; the day itself for a jump.
        last: last day it is about.
        count: of days, cells or instruments, as the text says.
        value: the number behind it; its unit is that of the text.
        text: what was found, one line.
        advice: one thing to do, empty where there is nothing.
    """

    kind: str
    severity: Severity
    instrument: str
    first: np.datetime64
    last: np.datetime64
    count: int
    value: float
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Series:
    """The prices of one instrument: accepted ones, and the days and reasons of the others.

    Attributes:
        instrument: its name.
        days: of accepted prices, shape (prices,), ascending.
        prices: closes, shape (prices,), above zero unless there is a level.
        adjusted: what returns are taken from, shape (prices,); `prices` itself where there is one column.
        bad_days: of quarantined cells, shape (cells,), ascending.
        bad_texts: the cells as received.
        reasons: why each of them is quarantined.
        level: that of arithmetic returns, as `market_data.arithmetic` declares it, or None.
    """

    instrument: str
    days: NDArray[np.datetime64]
    prices: NDArray[np.float64]
    adjusted: NDArray[np.float64]
    bad_days: NDArray[np.datetime64]
    bad_texts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    level: float | None = None

    @property
    def log_returns(self) -> NDArray[np.float64]:
        """Return log returns from each accepted price to the next, shape (prices - 1,)."""
        return np.diff(np.log(self.adjusted))


def plain(number: float) -> str:
    """Return a number with four significant digits and thousands separators, never in powers of ten."""
    if number == 0.0 or not np.isfinite(number):
        return f"{number:g}"
    digits = max(0, 3 - int(np.floor(np.log10(abs(number)))))
    text = f"{number:,.{min(digits, 9)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float, digits: int = 0) -> str:
    """Return a share as text, `-75 %` for -0.75."""
    return f"{100.0 * share:.{digits}f} %"


def quoted(name: str) -> str:
    """Return a name as a cell of CSV: in quotes if it has a comma or a quote."""
    special = any(mark in name for mark in ',"')
    return '"' + name.replace('"', '""') + '"' if special else name
