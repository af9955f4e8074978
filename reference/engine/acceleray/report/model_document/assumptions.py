"""The sections on assumptions and limits: what is assumed, where it fails, and what this run shows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from acceleray.report.backtest import HEADLINE_MODEL, of_headline
from acceleray.report.model_document.cells import fact, shown, source
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.risk_fits import finite
from acceleray.report.model_document.tree import Fact, Grid, Head, Judgement, Section
from acceleray.report.rows import narrowed
from acceleray.tables import (
    BACKTEST_VERDICTS,
    CALIBRATION,
    DEPENDENCE,
    FACTOR_BETAS,
    PRICE_FINDINGS,
    SIGNAL_VALIDATION,
    TRAINING,
    TUNING_EVIDENCE,
    Table,
)

Shows = Callable[[Context], Fact]


@dataclass(frozen=True)
class Assumption:
    """An assumption, where it fails, and a fact of the run about it if a table has one."""

    assumed: str
    fails: str
    shows: Shows | None = None


def section(told: Context) -> Section:
    """Return the section on assumptions."""
    heads = (
        Head("Assumption"),
        Head("Where it fails"),
        Head("What this run shows"),
        Head("From", names=True),
    )
    every = _RISK if told.kind == "risk" else _SIGNAL
    rows = []
    for each in every:
        found = each.shows(told) if each.shows is not None else Fact("", "no table measures it", "")
        rows.append((each.assumed, each.fails, f"{found.what}{found.value}", found.source))
    asks = "which of these matters most for the use above, and what covers it."
    return Section(
        "assumptions",
        "Assumptions and where they fail",
        (Grid("", heads, tuple(rows)), Judgement(asks)),
    )


def _verdict(name: str, what: str) -> Shows:
    def shows(told: Context) -> Fact:
        rows = of_headline(told.read(BACKTEST_VERDICTS).to_pylist())
        row = next((row for row in rows if row["model"] == HEADLINE_MODEL), None)
        return fact(what, row, BACKTEST_VERDICTS, name)

    return shows


def _of(table: Table, name: str, what: str, statistic: Callable[..., float]) -> Shows:
    def shows(told: Context) -> Fact:
        values = finite(told.read(narrowed(table, name))[name].to_pylist())
        value = float(statistic(values)) if values.size else None
        return Fact(what, shown(value), source(table, name))

    return shows


def _largest_size(values: Sequence[float]) -> float:
    return float(np.abs(values).max())


def _findings(*kinds: str) -> Shows:
    def shows(told: Context) -> Fact:
        found = told.read(narrowed(PRICE_FINDINGS, "kind"))["kind"].to_pylist()
        count = sum(kind in kinds for kind in found)
        return Fact("findings of this kind: ", shown(count), f"{source(PRICE_FINDINGS, 'kind')}, counted")

    return shows


_RISK = (
    Assumption(
        "Standardised residuals of past days are draws for tomorrow, all instruments of a day together.",
        "When instruments begin to move together in another way, or no such crisis is in the window.",
        _verdict("independence_p", "p-value of independent exceptions: "),
    ),
    Assumption(
        "Each volatility follows a GJR-GARCH(1,1) with Student-t innovations.",
        "Jumps, pegs that break, series near an integrated variance.",
        _of(CALIBRATION, "persistence", "median persistence: ", np.median),
    ),
    Assumption(
        "Parameters hold until the next scheduled fit.",
        "After a break between two fits; the gate of the calibration looks for it.",
        _of(CALIBRATION, "volatility_drift", "largest drift, log ratio: ", _largest_size),
    ),
    Assumption(
        "An instrument younger than the window moves as its proxy did.",
        "Where it has a separate crisis, or a beta that the overlap does not show.",
        _of(CALIBRATION, "filled_share", "largest share filled: ", np.max),
    ),
    Assumption(
        "One number of degrees of freedom and one correlation describe joint tails (t copula).",
        "Where tails depend more in falls than in rises; the copula is symmetric.",
        _of(DEPENDENCE, "copula_nu", "degrees of freedom: ", np.median),
    ),
    Assumption(
        "Instruments answer to factors linearly, with betas that stay.",
        "Large moves, options, factors whose history ended.",
        _of(FACTOR_BETAS, "r_squared", "median R-squared: ", np.median),
    ),
    Assumption(
        "Closes of one day belong together.",
        "Markets that close at different hours: same-day correlation looks too small.",
        _findings("lead_lag"),
    ),
    Assumption(
        "Positions stay as they are over the horizon and are worth quantity times price.",
        "Options, hedges that are rolled, trading within the horizon.",
    ),
    Assumption(
        "Any position can be sold at the close.",
        "Thin markets: no liquidity horizon and no cost of liquidation is added.",
    ),
)

_SIGNAL = (
    Assumption(
        "What ranked instruments in the past ranks them tomorrow.",
        "A signal that is crowded, arbitraged away or tied to one regime.",
        _of(SIGNAL_VALIDATION, "rank_ic", "lowest rank IC of a fold: ", np.min),
    ),
    Assumption(
        "No label of a training date reaches into a test date.",
        "A feature that knows the future: a revised or restated series.",
        _of(SIGNAL_VALIDATION, "rank_ic", "highest rank IC of a fold: ", np.max),
    ),
    Assumption(
        "Trading costs a flat share of what is traded.",
        "Market impact, borrowing, taxes, small names.",
        _of(SIGNAL_VALIDATION, "turnover", "mean share of the book traded per horizon: ", np.mean),
    ),
    Assumption(
        "The best of the hyperparameters tried is better than luck.",
        "The more are tried, the better the best looks.",
        _of(TUNING_EVIDENCE, "deflated_sharpe", "probability that it is not luck: ", np.median),
    ),
    Assumption(
        "The fit is the same whoever computes it.",
        "Sums in another order; a GPU has other last bits.",
        _of(TRAINING, "single_process_difference", "largest difference from one process: ", np.max),
    ),
    Assumption(
        "The prices contain the instruments that vanished.",
        "A source of survivors makes every result look too good.",
        _findings("ended"),
    ),
)
