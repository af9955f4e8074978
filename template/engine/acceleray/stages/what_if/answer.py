"""Answer to a question: before, after, each trade, each hedge, and limits if there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.stages.what_if import narrative
from acceleray.stages.what_if.facts import LimitState, Traded
from acceleray.stages.what_if.found import Found, State


@dataclass(frozen=True)
class Answer:
    """The answer to one question; money is in the portfolio's base currency, losses are positive.

    Attributes:
        run_id, as_of: of the run that was asked about.
        portfolio_id, nav, currency: of the portfolio; its NAV stays, trades are settled in cash.
        trades, hedges: what was asked: trades, and names of candidates.
        hedge_prices: (hedges,) in base currency, NaN where unknown.
        lines: names of what `State` contributions are of.
        horizons: what was found, the shortest first.
        limits: before and after, both in the same order; empty without limits.
        seconds: that it took.
    """

    run_id: str
    as_of: date
    portfolio_id: str
    nav: float
    currency: str
    confidence: tuple[float, float]
    trades: tuple[Traded, ...]
    hedges: tuple[str, ...]
    hedge_prices: tuple[float, ...]
    lines: tuple[str, ...]
    horizons: tuple[Found, ...]
    limits: tuple[tuple[LimitState, ...], tuple[LimitState, ...]]
    seconds: float

    def __str__(self) -> str:
        return "\n".join(self.text())

    def text(self) -> list[str]:
        """Return the answer as lines for people."""
        lines = [
            f"{self.portfolio_id} on {self.as_of}, NAV {narrative.money(self.nav)} {self.currency},"
            f" run {self.run_id}; trades are settled in cash",
            "",
            *narrative.risk(self.horizons, self.nav, self.currency, self.confidence),
        ]
        if self.trades:
            lines += ["", *narrative.trades(self.trades, self.horizons, self.nav)]
        longest = self.horizons[-1].horizon_d
        lines += ["", *narrative.contributions(self.contributions(longest), longest)]
        if self.hedges:
            lines += ["", *narrative.hedges(self.hedges, self.hedge_prices, self.horizons, self.nav)]
            lines.append(self._best())
        if self.limits[0]:
            lines += ["", *narrative.limits(*self.limits)]
        return [*lines, "", f"Answered in {self.seconds:.2f} s."]

    def _best(self) -> str:
        best, longest = self.best_hedge, self.horizons[-1]
        if not best:
            return "None of them lowers it."
        amount = self.nav * longest.hedges[self.hedges.index(best)].amount
        done = "buy" if amount > 0.0 else "sell"
        over = narrative.days(longest.horizon_d)
        return f"Best over {over}: {done} {best} for {narrative.money(abs(amount))} {self.currency}."

    def at(self, horizon_d: int) -> Found:
        """Return what was found at one horizon."""
        return next(each for each in self.horizons if each.horizon_d == horizon_d)

    @property
    def best_hedge(self) -> str:
        """Return the candidate that leaves the least expected shortfall at the longest horizon, if any."""
        found = self.horizons[-1].hedges
        if not found or not any(each.amount for each in found):
            return ""
        return self.hedges[int(np.argmin([each.expected_shortfall for each in found]))]

    def contributions(self, horizon_d: int) -> dict[str, tuple[float, float]]:
        """Return Euler contributions after the trades to VaR and expected shortfall, in money, by holding.

        Price and currency of a holding are one; they add up to the measures.
        """
        after = self.at(horizon_d).after
        return {
            name: (self.nav * one, self.nav * other)
            for name, (one, other) in by_name(self.lines, after).items()
        }

    def rows(self, question_id: str) -> pa.Table:
        """Return rows of gold.what_if: one for each trade, and one without instrument for all together."""
        count = len(self.trades) + 1
        columns: dict[str, object] = {
            "question_id": [question_id] * count,
            "portfolio_id": [self.portfolio_id] * count,
            "instrument_id": ["", *(each.instrument_id for each in self.trades)],
            "amount": [sum(each.amount for each in self.trades), *(each.amount for each in self.trades)],
            "quantity": pa.array([None, *(_known(each.quantity) for each in self.trades)], pa.float64()),
            "currency": [self.currency] * count,
        }
        for horizon, found in (("1d", self.horizons[0]), ("long", self.horizons[-1])):
            for place, (measure, before, after) in enumerate(_measures(found)):
                parts = self.nav * found.incremental[:, place]
                change = self.nav * (after - before)
                columns[f"{measure}_{horizon}_before"] = np.full(count, self.nav * before)
                columns[f"{measure}_{horizon}_after"] = np.full(count, self.nav * after)
                columns[f"{measure}_{horizon}_incremental"] = np.concatenate(([change], parts))
        long = self.horizons[-1]
        best = self.best_hedge
        amount = long.hedges[self.hedges.index(best)].amount if best else 0.0
        columns["long_horizon_d"] = [long.horizon_d] * count
        columns["scenarios"] = [long.scenarios] * count
        columns["best_hedge"] = [best] * count
        columns["best_hedge_amount"] = np.full(count, self.nav * amount)
        return pa.table(columns)


def by_name(lines: Sequence[str], state: State) -> dict[str, NDArray[np.float64]]:
    """Return contributions to both measures by holding, shares of NAV; without those that add nothing."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, one, other in zip(lines, state.value_at_risk, state.expected_shortfall, strict=True):
        if one or other:
            found[name] = found.get(name, np.zeros(2)) + np.array([one, other])
    return found


def _measures(found: Found) -> tuple[tuple[str, float, float], ...]:
    before, after = found.before.measures, found.after.measures
    return (
        ("var", before.value_at_risk, after.value_at_risk),
        ("es", before.expected_shortfall, after.expected_shortfall),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
