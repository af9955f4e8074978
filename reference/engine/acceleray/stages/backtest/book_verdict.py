"""The verdict on the model by all portfolios that are held: many tests at once, judged as such."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from acceleray.counts import counted
from acceleray.quant.multiple_testing import benjamini_hochberg
from acceleray.settings.backtest import Backtest
from acceleray.stages.backtest.gate import MINIMUM_DAYS
from acceleray.stages.backtest.judging import Judged
from acceleray.stages.backtest.records import HEADLINE

# Of a gate, which share its level.
TESTS = 4
# Portfolios that a sentence names before it only counts.
_NAMED = 3


@dataclass(frozen=True)
class BookVerdict:
    """Result of the backtest of a book.

    Attributes:
        portfolio_id: the headline portfolio.
        models: the verdict on each model on it; none where no day is out of sample.
        portfolios: the verdict on the calibrated model by each portfolio, the headline first.
        q_values: the share of false alarms, at most, at which a portfolio's rejection survives; NaN where its
            days are too few to be tested (Benjamini & Hochberg 1995).
        left_out: why each other portfolio is not backtested.
        passed: whether the model may be used.
        reason: why, in words.
    """

    portfolio_id: str
    models: Mapping[str, Judged]
    portfolios: Mapping[str, Judged]
    q_values: Mapping[str, float]
    left_out: Mapping[str, str]
    passed: bool
    reason: str

    @property
    def decision(self) -> str:
        """Return what was decided about the calibrated model."""
        return "promoted" if self.passed else "not promoted"


def book_verdict(
    portfolio_id: str,
    models: Mapping[str, Judged],
    portfolios: Mapping[str, Judged],
    left_out: Mapping[str, str],
    terms: Backtest,
) -> BookVerdict:
    """Return the verdict on the calibrated model: promoted, unless one of three things speaks against it.

    They are: the gate of the headline portfolio; a portfolio that the tests reject although many were tested
    (Benjamini & Hochberg at `backtest.level`, of the smallest p-value of its gate after Holm); a red Basel
    zone in any portfolio. Arguments as in `BookVerdict`.
    """
    if not portfolios:
        reason = "not tested: no day is out of sample; more history is needed"
        return BookVerdict(portfolio_id, {}, {}, {}, left_out, False, reason)
    enough = {name: each for name, each in portfolios.items() if each.verdict.days >= MINIMUM_DAYS}
    values = [portfolios[name].tests.smallest_p if name in enough else math.nan for name in portfolios]
    q_values = dict(zip(portfolios, benjamini_hochberg(np.array(values)).tolist(), strict=True))
    rejected = [name for name, q in q_values.items() if q <= terms.level]
    red = [name for name, each in portfolios.items() if _is_red(each)]
    own = portfolios.get(portfolio_id)
    passed = own is not None and own.passed and not rejected and not red
    if len(portfolios) == 1 and own is not None:
        reason = own.reason
    else:
        reason = _told(portfolio_id, portfolios, len(enough), rejected, red, q_values, terms.level)
    found = BookVerdict(portfolio_id, models, portfolios, q_values, left_out, passed, reason)
    # One model, one decision; each portfolio keeps what its own days say.
    decided = {name: replace(each, decision=found.decision) for name, each in portfolios.items()}
    compared = dict(models)
    if HEADLINE in compared:
        compared[HEADLINE] = replace(compared[HEADLINE], decision=found.decision)
    return replace(found, models=compared, portfolios=decided)


def records_needed(portfolios: int, terms: Backtest) -> int:
    """Return how many simulated records it takes to reject one portfolio among so many.

    The smallest p-value that n records give is 2 / (n + 1), of a two-sided test; Holm multiplies it by the
    tests of a gate and Benjamini-Hochberg by the portfolios, and that must reach the level.
    """
    return math.ceil(2 * TESTS * portfolios / terms.level)


def _is_red(found: Judged) -> bool:
    each = found.verdict
    return "red" in (each.recent_zone, each.zone_500 if each.days >= 2 * MINIMUM_DAYS else "")


def _told(
    portfolio_id: str,
    portfolios: Mapping[str, Judged],
    tested: int,
    rejected: Sequence[str],
    red: Sequence[str],
    q_values: Mapping[str, float],
    level: float,
) -> str:
    passed = sum(each.passed for each in portfolios.values())
    # A single portfolio is judged by its own gate.
    parts = [f"{passed} of {len(portfolios)} portfolios pass alone"]
    if short := len(portfolios) - tested:
        parts.append(f"{short} of them with too few days to judge")
    many = f"of {counted(tested, 'portfolio')} tested together (Benjamini-Hochberg at {100 * level:g} %)"
    if rejected:
        worst = sorted(rejected, key=lambda name: (q_values[name], name))
        smallest = f"smallest q {q_values[worst[0]]:.2g}"
        parts.append(f"{_named(worst)} rejected {many}, {smallest}")
    else:
        parts.append(f"none rejected {many}")
    if red:
        parts.append(f"red zone in {_named(red)}")
    own = portfolios.get(portfolio_id)
    parts.append(f"{portfolio_id}: {own.reason if own else 'not backtested'}")
    return "; ".join(parts)


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
