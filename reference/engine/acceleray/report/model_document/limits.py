"""The sections on purpose, owner and limitations of a model."""

from __future__ import annotations

from typing import Any

from acceleray.report.model_document.cells import facts, shown, source
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Fact, Grid, Head, Judgement, Part, Section, Words
from acceleray.report.rows import narrowed
from acceleray.tables import RISK_MEASURES, STRESS_LOSSES, STRESS_SCENARIOS, TRAINING

_RISK_LIMITS = (
    "Market risk alone: no credit migration or default, no counterparty, no operational risk.",
    "No liquidity horizon and no cost of liquidation.",
    "The backtest is of today's positions on past days, of equal weights where the book is simulated; another"
    " portfolio may have another record.",
    "Losses are hypothetical; fees, intraday trading and booked results are not in them.",
    "The residual window decides which crises can come again: no shock beyond its own is drawn.",
)
_SIGNAL_LIMITS = (
    "The folds judge the recipe. The registered model has been fitted on their dates since, but for the"
    " newest, fewer than train.refit_every_d and too few to judge it by.",
    "Scores order instruments; they are not forecasts of returns.",
    "Costs are flat; market impact, borrowing and taxes are left out.",
    "Instruments unlike those it was trained on, and another horizon, are out of scope.",
)


def purpose(told: Context) -> Section:
    """Return the section on purpose and use."""
    if told.kind == "risk":
        words = (
            "The model gives value-at-risk and expected shortfall of every portfolio of the book: each"
            " instrument has a GJR-GARCH volatility with Student-t innovations, and joint days of"
            " standardised residuals are replayed at the volatilities and the correlation of today (filtered"
            " historical simulation),"
            " or drawn from a t copula."
        )
        rows = [
            _distinct(told, "Measures", "measure"),
            _distinct(told, "Confidence", "confidence"),
            _distinct(told, "Horizons, trading days", "horizon_d"),
            _distinct(told, "Methods", "method"),
            _distinct(told, "Currency", "currency"),
        ]
    else:
        words = (
            "The model orders instruments: gradient-boosted trees give each a score from ranked features of"
            " the day, the expected rank of its return over the horizon among all instruments."
        )
        row: dict[str, Any] = next(iter(told.read(TRAINING).to_pylist()), {})
        rows = [
            Fact("Horizon, trading days", *told.setting("features", "horizon_d")),
            Fact("Features", shown(row.get("features")), source(TRAINING, "features")),
            Fact("Boosting rounds", shown(row.get("rounds")), source(TRAINING, "rounds")),
            Fact("Training rows", shown(row.get("rows")), source(TRAINING, "rows")),
        ]
    asks = (
        "the decisions that this model supports, which portfolios, who uses its numbers, how material they"
        " are, and the uses that are not allowed."
    )
    return Section("purpose", "Purpose and use", (Words(words), facts(rows), Judgement(asks)))


def owner(told: Context) -> Section:
    """Return the section on who answers for the model: all of it is the owner's."""
    asked = (
        "name and unit of the model owner, who accepts the risk of using it.",
        "name and unit of the developer, and of the validator, who must be independent of the developer.",
        "tier or materiality of the model, date of approval, date of the next review, and open findings.",
    )
    return Section("owner", "Owner", tuple(Judgement(each) for each in asked))


def limitations(told: Context) -> Section:
    """Return the section on limitations: those of the method, and those that the tables of this run show."""
    every = _RISK_LIMITS if told.kind == "risk" else _SIGNAL_LIMITS
    parts: list[Part] = [Grid("Of the method.", (Head("Limitation"),), tuple((each,) for each in every))]
    if told.kind == "risk":
        parts += _not_run(told)
        parts += _without_price(told)
    asks = "limits on the use that follow from these, compensating controls, and planned changes."
    return Section("limitations", "Limitations", (*parts, Judgement(asks)))


def _distinct(told: Context, what: str, name: str) -> Fact:
    values = told.read(narrowed(RISK_MEASURES, name), per=(name,))[name].to_pylist()
    found = sorted(value for value in values if value is not None)
    if name == "confidence":
        return Fact(what, ", ".join(f"{100 * one:.6g} %" for one in found) or shown(None), _from(name))
    return Fact(what, ", ".join(map(shown, found)) or shown(None), _from(name))


def _from(name: str) -> str:
    return source(RISK_MEASURES, name)


def _not_run(told: Context) -> list[Part]:
    rows = told.read(narrowed(STRESS_SCENARIOS, "scenario_id", "title", "status", "reason")).to_pylist()
    left_out = sorted((row["title"], row["reason"]) for row in rows if row["status"] != "run")
    if not left_out:
        return []
    label = STRESS_SCENARIOS.label
    heads = (Head("Scenario", f"{label}.title"), Head("Why it was not run", f"{label}.reason"))
    return [Grid("Stress scenarios that were not run.", heads, tuple(left_out))]


def _without_price(told: Context) -> list[Part]:
    names = ("proxied_pct_nav", "unpriced_pct_nav")
    rows = told.read(narrowed(STRESS_LOSSES, *names)).to_pylist()
    if not rows:
        return []
    found = [
        Fact(what, f"{max(row[name] for row in rows):.2f} %", f"{source(STRESS_LOSSES, name)}, largest")
        for what, name in zip(
            ("Largest share of NAV priced by proxy in a scenario", "Largest share of NAV without a return"),
            names,
            strict=True,
        )
    ]
    return [facts(found)]
