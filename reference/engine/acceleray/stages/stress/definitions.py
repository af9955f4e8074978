"""Stress definitions: the one file in conf/ that a risk manager edits, read and refused in one line."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from acceleray.errors import PortfolioError
from acceleray.quant.stress import smallest_eigenvalue, with_correlations
from acceleray.settings import Settings
from acceleray.stages.stress import file as written
from acceleray.stages.stress.units import Shock, parse_share, parse_shock

# Factors of the sample; a factor file of one's own may have others.
KNOWN_FACTORS = ("credit", "equity", "oil", "volatility")
# A correlation matrix nearer to singular than this cannot be inverted with any sense.
SMALLEST_EIGENVALUE = 1e-8


@dataclass(frozen=True)
class Variable:
    """One number of a scenario: as published, and the factor and shock it is mapped to, if any."""

    name: str
    published: str
    factor: str | None
    shock: Shock | None
    mapping: str


@dataclass(frozen=True)
class Replay:
    """A stretch of history, from the close of `first` to the close of `last`."""

    scenario_id: str
    title: str
    origin: str
    first: date
    last: date
    kind: Literal["replay"] = "replay"


@dataclass(frozen=True)
class ShockScenario:
    """Shocks to core factors, and correlations (factor, factor, value) that replace the estimated ones.

    `horizon_m` is the span in months over which the shocks happen; it decides how far away they are, and not
    what they do to the book.
    """

    scenario_id: str
    title: str
    origin: str
    kind: Literal["hypothetical", "supervisory"]
    variables: tuple[Variable, ...]
    correlations: tuple[tuple[str, str, float], ...]
    horizon_m: float = written.HYPOTHETICAL_M


@dataclass(frozen=True)
class Definitions:
    """Every stress scenario and reverse-stress target (loss as a fraction of NAV) of one file.

    `digest` is the SHA-256 of the file's content.
    """

    file: str
    digest: str
    replays: tuple[Replay, ...]
    shocks: tuple[ShockScenario, ...]
    reverse_targets: tuple[float, ...]


def read_definitions(settings: Settings, extra_factors: Iterable[str] = ()) -> Definitions:
    """Return what the file named by `stress.definitions` defines.

    Args:
        settings: where the file is, and which factors are in percentage points.
        extra_factors: names of factors beyond those of the sample and the columns of `factors.path`.

    Raises:
        PortfolioError: the file is missing or malformed, or a scenario in it is invalid; the line names
            file, scenario and key. Correlations that only the estimates around them make impossible are
            refused by `refuse_impossible`.
    """
    path = settings.project_dir / "conf" / settings.stress.definitions
    file, (parsed, digest) = f"conf/{path.name}", written.parse(path)
    known = {*KNOWN_FACTORS, *_own_factors(settings), *extra_factors}
    reading = _Reading(file, tuple(sorted(known)), settings.factors.points)
    hypothetical = (reading.hypothetical(entry) for entry in parsed.hypothetical)
    supervisory = (reading.supervisory(entry) for entry in parsed.supervisory)
    return Definitions(
        file=file,
        digest=digest,
        replays=tuple(reading.replay(entry) for entry in parsed.replays),
        shocks=(*hypothetical, *supervisory),
        reverse_targets=reading.targets(parsed.reverse.losses),
    )


@dataclass(frozen=True)
class _Reading:
    """Turns entries of the file into scenarios, or refuses them."""

    file: str
    factors: tuple[str, ...]
    points: tuple[str, ...]

    def replay(self, entry: written.ReplayEntry) -> Replay:
        if entry.first >= entry.last:
            raise self._refusal(entry.id, "first", f"{entry.first} is not before last, {entry.last}")
        return Replay(entry.id, entry.title, entry.origin, entry.first, entry.last)

    def hypothetical(self, entry: written.HypotheticalEntry) -> ShockScenario:
        variables = []
        for factor, text in entry.shocks.items():
            shock = self._shock(entry.id, f"shocks.{factor}", factor, text)
            variables.append(Variable(factor, shock.text, factor, shock, "The factor itself is shocked."))
        correlations = self._correlations(entry.id, entry.correlations)
        return ShockScenario(
            entry.id,
            entry.title,
            entry.origin,
            "hypothetical",
            tuple(variables),
            correlations,
            entry.horizon_m,
        )

    def supervisory(self, entry: written.SupervisoryEntry) -> ShockScenario:
        variables: list[Variable] = []
        for given in entry.variables:
            variable = self._variable(entry.id, given)
            if variable.name in {each.name for each in variables}:
                raise self._refusal(entry.id, "variables", f"'{variable.name}' is there twice")
            if variable.factor and variable.factor in {each.factor for each in variables}:
                raise self._refusal(entry.id, "variables", f"two variables are mapped to {variable.factor}")
            variables.append(variable)
        correlations = self._correlations(entry.id, entry.correlations)
        return ShockScenario(
            entry.id,
            entry.title,
            entry.origin,
            "supervisory",
            tuple(variables),
            correlations,
            entry.horizon_m,
        )

    def targets(self, losses: Iterable[object]) -> tuple[float, ...]:
        targets = []
        for text in losses:
            try:
                targets.append(parse_share(text))
            except ValueError as error:
                raise PortfolioError(f"{self.file}, reverse.losses: {error}.") from None
        if len(set(targets)) < len(targets):
            raise PortfolioError(f"{self.file}, reverse.losses: a loss is there twice.")
        return tuple(sorted(targets))

    def _variable(self, scenario: str, given: written.VariableEntry) -> Variable:
        key = f"variables.{given.variable}"
        mapped = (given.factor, given.shock, given.mapping)
        if given.not_mapped is not None:
            if mapped != (None, None, None):
                raise self._refusal(scenario, key, "not_mapped excludes factor, shock and mapping")
            return Variable(given.variable, given.published, None, None, given.not_mapped)
        if given.factor is None or given.shock is None or given.mapping is None:
            hint = "give factor, shock and mapping (the assumption in words), or not_mapped with the reason"
            raise self._refusal(scenario, key, hint)
        shock = self._shock(scenario, key, given.factor, given.shock)
        return Variable(given.variable, given.published, given.factor, shock, given.mapping)

    def _shock(self, scenario: str, key: str, factor: str, text: object) -> Shock:
        self._refuse_unknown(scenario, key, factor)
        try:
            return parse_shock(text, factor, factor in self.points)
        except ValueError as error:
            raise self._refusal(scenario, key, str(error)) from None

    def _correlations(
        self, scenario: str, given: Iterable[written.CorrelationEntry]
    ) -> tuple[tuple[str, str, float], ...]:
        found: dict[tuple[str, str], float] = {}
        for each in given:
            one, other = sorted(each.between)
            key = f"correlations.{one}-{other}"
            for factor in (one, other):
                self._refuse_unknown(scenario, key, factor)
            if one == other:
                raise self._refusal(scenario, key, "a correlation is between two different factors")
            if (one, other) in found:
                raise self._refusal(scenario, key, "is there twice")
            found[one, other] = each.correlation
        smallest = _smallest_eigenvalue(found)
        if smallest < SMALLEST_EIGENVALUE:
            what = f"together they are not positive definite, the smallest eigenvalue is {smallest:.4f}"
            raise self._refusal(scenario, "correlations", f"{what} and must be above zero")
        return tuple((one, other, value) for (one, other), value in found.items())

    def _refuse_unknown(self, scenario: str, key: str, factor: str) -> None:
        if factor not in self.factors:
            close = difflib.get_close_matches(factor, self.factors, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(self.factors)}."
            raise self._refusal(scenario, key, f"unknown factor '{factor}'; {hint}")

    def _refusal(self, scenario: str, key: str, what: str) -> PortfolioError:
        return PortfolioError(f"{self.file}, {scenario}, {key}: {what.rstrip('.')}.".replace("?.", "?"))


def _smallest_eigenvalue(given: Mapping[tuple[str, str], float]) -> float:
    """Return that of the matrix of all factors named, 1 where the estimates of a run must fill it first."""
    names = sorted({name for pair in given for name in pair})
    pairs = list(combinations(range(len(names)), 2))
    if not given or len(given) < len(pairs):
        return 1.0
    replaced = [(one, other, given[names[one], names[other]]) for one, other in pairs]
    return smallest_eigenvalue(with_correlations(np.eye(len(names)), replaced))


def _own_factors(settings: Settings) -> tuple[str, ...]:
    """Return the columns of the user's factor file; what is wrong with that file, ingest says better."""
    if settings.factors.source != "csv" or not settings.factors.path:
        return ()
    path = settings.project_dir / Path(settings.factors.path).expanduser()
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = next((cells for cells in csv.reader(lines) if any(cells)), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()
    names = [cell.strip() for cell in header]
    return tuple(name for name in names if name and name.lower() != "date")
