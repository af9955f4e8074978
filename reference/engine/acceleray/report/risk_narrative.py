"""The sentences about simulated risk, the same on every page."""

from __future__ import annotations

from acceleray.quant.coverage import REJECTED_BELOW
from acceleray.report import formats
from acceleray.report.risk import Contributions, Horizon


def error(horizon: Horizon) -> str:
    """Return whose standard error the measures of a horizon carry, in words."""
    if not horizon.enumerated:
        return "Monte Carlo standard error"
    days = horizon.scenario_set["residual_days"] if horizon.scenario_set else None
    return "Standard error of the window" + (f" of {formats.count(days)} days" if days else "")


def errors(horizons: tuple[Horizon, ...]) -> str:
    """Return what the standard errors of these horizons say, and what they do not, in words."""
    said = []
    if any(one.enumerated for one in horizons):
        said.append(
            "The standard error of the window says how far a number would move with other days of the same"
            " market: there every day is taken once and no scenario is drawn."
        )
    if any(not one.enumerated for one in horizons):
        said.append(
            "The Monte Carlo standard error says how far a number would move with other random draws, and"
            " nothing about the days they come from."
        )
    return " ".join([*said, "No standard error says whether the model is right."])


def scenarios(horizon: Horizon) -> str:
    """Return how historical scenarios of a horizon are made, in words; empty if the run did not keep it."""
    if horizon.scenario_set is None:
        return ""
    made = horizon.scenario_set
    days, between = (
        formats.count(made["residual_days"]),
        f"{made['residual_first']} to {made['residual_last']}",
    )
    drawn = "are all taken, each once and none drawn," if horizon.enumerated else "are drawn"
    return (
        f"Days of standardised shocks from {between} ({days} days) {drawn} for all"
        f" {formats.count(made['instruments'])} instruments together, so that their dependence is kept, and"
        " scaled by today's volatility."
    )


def tested(horizon: Horizon) -> str:
    """Return what the value at risk of a method and horizon was worth in the past, in words."""
    if horizon.judged_daily:
        return "Backtested day by day"
    found = horizon.tested
    if found is None:
        return "Not backtested"
    return (
        f"{formats.plural(found.exceptions, 'exception')} in {formats.plural(found.windows, 'window')},"
        f" {formats.number(found.expected, 1)} expected"
    )


def rejected(horizon: Horizon) -> bool:
    """Return whether so many exceptions are no luck: the p-value of their rate is below 5 %."""
    return horizon.tested is not None and horizon.tested.kupiec_p < REJECTED_BELOW


def longer(horizons: tuple[Horizon, ...]) -> str:
    """Return the tests besides the one-day record, and the missing ones, in words."""
    said = [f"{one.label}, {formats.days(one.horizon_d)}" for one in horizons if rejected(one)]
    left_out = [
        f"{one.label}, {formats.days(one.horizon_d)}"
        for one in horizons
        if one.tested is None and not one.judged_daily
    ]
    sentences = []
    if said:
        sentences.append(f"Rejected, so do not rely on them: {'; '.join(said)}.")
    if left_out:
        sentences.append(f"Not backtested: {'; '.join(left_out)}.")
    return " ".join(sentences)


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
