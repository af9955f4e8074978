"""Limits: the one file in conf/ that says what a desk may risk, read and refused in one line."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.desk import LIMITS_FILE
from acceleray.stages.limits import file as written
from acceleray.stages.limits.amounts import DAYS, PERCENT, Amount, parse_amount
from acceleray.stages.limits.file import ALL, LimitEntry
from acceleray.stages.limits.measures import MEASURES, MONEY, WORST, Measure
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL, T_COPULA
from acceleray.stages.stress import file as stress_file

METHODS = (FILTERED_HISTORICAL, T_COPULA)
_SPECIFIC = tuple(dict.fromkeys(key for each in MEASURES.values() for key in each.keys))


@dataclass(frozen=True)
class Limit:
    """One limit, on one portfolio or, with `ALL`, on each.

    Attributes:
        limit_id: its name.
        measure: what is limited.
        portfolio: portfolio id, or `ALL`.
        amount: the limit.
        warning: share of the limit from which on it is amber.
        owner: who is told.
        valid_from: first as-of date on which it counts.
        valid_until: the last one, None for no end.
        horizon_d: of a simulated measure, in trading days; else None.
        method: of a simulated measure; else None.
        group: column of the positions; None for the whole portfolio.
        group_value: the group; None for whichever has the largest value.
        scenario: id of a stress scenario, or `WORST`; None unless the measure is a stress loss.
    """

    limit_id: str
    measure: Measure
    portfolio: str
    amount: Amount
    warning: float
    owner: str
    valid_from: date
    valid_until: date | None = None
    horizon_d: int | None = None
    method: str | None = None
    group: str | None = None
    group_value: str | None = None
    scenario: str | None = None

    def valid(self, as_of: date) -> bool:
        """Return whether it counts on a date."""
        return self.valid_from <= as_of and (self.valid_until is None or as_of <= self.valid_until)


@dataclass(frozen=True)
class Limits:
    """Every limit of one file; `digest` is the SHA-256 of its content, empty where there is no file."""

    file: str
    digest: str
    all: tuple[Limit, ...]

    def on(self, as_of: date) -> tuple[Limit, ...]:
        """Return the limits that count on a date."""
        return tuple(each for each in self.all if each.valid(as_of))


def read_limits(settings: Settings) -> Limits:
    """Return the limits in the file named by `limits.definitions`.

    A project without a `limits.yml`, such as an older one, has none.

    Raises:
        PortfolioError: the file is missing or malformed, or a limit in it is invalid; the line names
            file, limit and key.
    """
    path = settings.project_dir / "conf" / settings.limits.definitions
    file = f"conf/{path.name}"
    if path.name == LIMITS_FILE and not path.exists():
        return Limits(file, "", ())
    parsed, digest = written.parse(path)
    reading = _Reading(file, settings)
    return Limits(file, digest, tuple(reading.limit(entry) for entry in parsed.limits))


def refuse_unknown_portfolios(limits: Limits, portfolios: Collection[str]) -> None:
    """Refuse a limit on a portfolio that the book does not have.

    Raises:
        PortfolioError: there is one; the line names it.
    """
    for each in limits.all:
        if each.portfolio != ALL and each.portfolio not in portfolios:
            hint = _hint(each.portfolio, portfolios, "the book has")
            raise PortfolioError(
                f"{limits.file}, {each.limit_id}, portfolio: no portfolio '{each.portfolio}' in the book; "
                f"{hint}"
            )


@dataclass(frozen=True)
class _Reading:
    """Turns entries of the file into limits, or refuses them."""

    file: str
    settings: Settings

    def limit(self, entry: LimitEntry) -> Limit:
        measure = MEASURES.get(entry.measure)
        if measure is None:
            hint = _hint(entry.measure, MEASURES, "there are")
            raise self._refusal(entry, "measure", f"unknown measure '{entry.measure}'; {hint}")
        self._refuse_keys(entry, measure)
        simulated = "method" in measure.keys
        if simulated and entry.horizon_d not in (None, *self.settings.simulation.horizons_d):
            simulated_d = ", ".join(map(str, self.settings.simulation.horizons_d))
            days = "1 day is" if entry.horizon_d == 1 else f"{entry.horizon_d} days are"
            what = f"{days} not simulated; simulation.horizons_d has {simulated_d}."
            raise self._refusal(entry, "horizon_d", what)
        if entry.method not in (None, *METHODS):
            hint = _hint(entry.method, METHODS, "there are")
            raise self._refusal(entry, "method", f"unknown method '{entry.method}'; {hint}")
        if entry.valid_until is not None and entry.valid_until < entry.valid_from:
            what = f"{entry.valid_until} is before valid_from, {entry.valid_from}."
            raise self._refusal(entry, "valid_until", what)
        self._refuse_unknown_scenario(entry)
        return Limit(
            limit_id=entry.id,
            measure=measure,
            portfolio=entry.portfolio,
            amount=self._amount(entry, measure),
            warning=entry.warning,
            owner=entry.owner,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            horizon_d=(entry.horizon_d or min(self.settings.simulation.horizons_d)) if simulated else None,
            method=(entry.method or FILTERED_HISTORICAL) if simulated else None,
            group=entry.group,
            group_value=entry.group_value,
            scenario=entry.scenario,
        )

    def _amount(self, entry: LimitEntry, measure: Measure) -> Amount:
        try:
            amount = parse_amount(entry.limit)
        except ValueError as error:
            raise self._refusal(entry, "limit", f"{error}.") from None
        if (MONEY if amount.currency else amount.unit) not in measure.units:
            units = " or ".join(
                {PERCENT: "'4 %'", MONEY: "'50000 USD'", DAYS: "'10 days'"}[unit] for unit in measure.units
            )
            what = f"'{entry.limit}' does not fit {measure.name}; write for example {units}."
            raise self._refusal(entry, "limit", what)
        return amount

    def _refuse_keys(self, entry: LimitEntry, measure: Measure) -> None:
        for key in _SPECIFIC:
            given = getattr(entry, key) is not None
            if given and key not in measure.keys:
                raise self._refusal(entry, key, f"does not belong to {measure.name}; remove it.")
            if not given and key in measure.needed:
                raise self._refusal(entry, key, f"is missing; {measure.name} needs it.")
        if entry.group_value is not None and entry.group is None:
            raise self._refusal(entry, "group_value", "needs group, the column that it is a value of.")

    def _refuse_unknown_scenario(self, entry: LimitEntry) -> None:
        path = self.settings.project_dir / "conf" / self.settings.stress.definitions
        # Without stress tests there is no such file, and a limit on one is not evaluated.
        if entry.scenario in (None, WORST) or not path.exists():
            return
        parsed, _ = stress_file.parse(path)
        sections = (parsed.replays, parsed.hypothetical, parsed.supervisory)
        known = [scenario.id for section in sections for scenario in section]
        if entry.scenario not in known:
            hint = _hint(entry.scenario, known, f"conf/{path.name} has")
            raise self._refusal(entry, "scenario", f"unknown scenario '{entry.scenario}'; {hint}")

    def _refusal(self, entry: LimitEntry, key: str, what: str) -> PortfolioError:
        return PortfolioError(f"{self.file}, {entry.id}, {key}: {what}")


def _hint(given: str | None, known: Iterable[str], introduced: str) -> str:
    names = list(known)
    close = difflib.get_close_matches(str(given), names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"{introduced} {shown or 'none'}."
