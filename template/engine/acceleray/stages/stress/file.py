"""The stress file as it is written: its sections and keys, and its faults in one line each."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acceleray.errors import PortfolioError
from acceleray.settings.strict_yaml import read_sections

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
# Months in which shocks happen; ten years are longer than any published path.
Months = Annotated[float, Field(gt=0.0, le=120.0)]
# Nothing in a shock says how long it takes: it is measured by the shortest span that covariances are of.
HYPOTHETICAL_M = 1.0
# Published paths take quarters to their worst value; about a year is where markets reach theirs.
SUPERVISORY_M = 12.0
# A shock or loss without a unit is a number in YAML; it is refused later, with a hint.
Quantity = str | int | float


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CorrelationEntry(_Entry):
    """A correlation between two factors, in place of the estimated one."""

    between: Annotated[list[str], Field(min_length=2, max_length=2)]
    correlation: Annotated[float, Field(ge=-1.0, le=1.0)]


class ReplayEntry(_Entry):
    """A stretch of history, from the close of `first` to that of `last`."""

    id: Identifier
    title: Text
    origin: Text = "Prices and factors of this run"
    first: date
    last: date


class HypotheticalEntry(_Entry):
    """Shocks to factors, by name."""

    id: Identifier
    title: Text
    origin: Text = "Ours"
    shocks: Annotated[dict[str, Quantity], Field(min_length=1)]
    correlations: list[CorrelationEntry] = []
    horizon_m: Months = HYPOTHETICAL_M


class VariableEntry(_Entry):
    """A published number: with factor, shock and mapping, or not mapped with the reason."""

    variable: Text
    published: Text
    factor: str | None = None
    shock: Quantity | None = None
    mapping: Text | None = None
    not_mapped: Text | None = None


class SupervisoryEntry(_Entry):
    """A scenario that a supervisor published."""

    id: Identifier
    title: Text
    origin: Text
    variables: Annotated[list[VariableEntry], Field(min_length=1)]
    correlations: list[CorrelationEntry] = []
    horizon_m: Months = SUPERVISORY_M


class ReverseEntry(_Entry):
    """Losses to be reached."""

    losses: list[Quantity] = []


class DefinitionFile(_Entry):
    """All sections; each may be missing."""

    replays: list[ReplayEntry] = []
    hypothetical: list[HypotheticalEntry] = []
    supervisory: list[SupervisoryEntry] = []
    reverse: ReverseEntry = ReverseEntry()


def parse(path: Path) -> tuple[DefinitionFile, str]:
    """Return what a file holds, and the SHA-256 of its bytes.

    Raises:
        PortfolioError: it cannot be read, is not YAML, or holds keys or values that have no place in it.
    """
    sections = "replays, hypothetical, supervisory or reverse"
    content, digest = read_sections(path, "stress.definitions", sections)
    file = f"conf/{path.name}"
    try:
        parsed = DefinitionFile.model_validate(content)
    except ValidationError as error:
        raise PortfolioError(f"{file}, {_explain(error, content)}") from None
    _refuse_repeated_ids(file, parsed)
    return parsed, digest


def _refuse_repeated_ids(file: str, parsed: DefinitionFile) -> None:
    seen: set[str] = set()
    sections = (parsed.replays, parsed.hypothetical, parsed.supervisory)
    for name in (entry.id for section in sections for entry in section):
        if name in seen:
            raise PortfolioError(f"{file}, {name}, id: two scenarios have it; make it unique.")
        seen.add(name)


def _explain(error: ValidationError, content: dict[str, Any]) -> str:
    """Return the first fault as `scenario, key: what is wrong`."""
    first = error.errors()[0]
    place = list(first["loc"])
    where = []
    if len(place) > 1 and isinstance(place[1], int):
        section, number = str(place[0]), int(place[1])
        entry = content[section][number]
        name = entry.get("id") if isinstance(entry, dict) else None
        where = [name if isinstance(name, str) else f"{section} {number + 1}"]
        place = place[2:]
    key = ".".join(str(part) for part in place if part not in {"str", "int", "float"})
    where += [key] if key else []
    if first["type"] == "extra_forbidden":
        names = [*DefinitionFile.model_fields, *ReplayEntry.model_fields, *HypotheticalEntry.model_fields]
        close = difflib.get_close_matches(str(place[-1]), [*names, *VariableEntry.model_fields], n=1)
        hint = f"did you mean {close[0]}?" if close else "remove it."
        return f"{', '.join(where)}: unknown key; {hint}"
    if first["type"] == "missing":
        return f"{', '.join(where)}: is missing."
    return f"{', '.join(where)}: {first['msg']}, not {first['input']!r}."
