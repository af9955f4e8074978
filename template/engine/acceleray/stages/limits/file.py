"""The limits file as it is written: its keys, and its faults in one line each."""

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
Warning = Annotated[float, Field(gt=0.0, le=1.0)]
Days = Annotated[int, Field(gt=0)]
# Where people want to look before a limit is reached, if they do not say otherwise.
WARNING = 0.8
ALL = "*"
"""The portfolio of a limit that is each portfolio's."""


class LimitEntry(BaseModel):
    """One limit. What is left empty takes the default of its measure."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Identifier
    measure: Text
    portfolio: Text
    # A limit without a unit is a number in YAML; it is refused later, with a hint.
    limit: str | int | float
    owner: Text
    valid_from: date
    valid_until: date | None = None
    warning: Warning = WARNING
    horizon_d: Days | None = None
    method: Text | None = None
    group: Text | None = None
    group_value: Text | None = None
    scenario: Text | None = None


class LimitFile(BaseModel):
    """The one section there is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    limits: list[LimitEntry] = []


def parse(path: Path) -> tuple[LimitFile, str]:
    """Return what a file holds, and the SHA-256 of its bytes.

    Raises:
        PortfolioError: it cannot be read, is not YAML, holds keys or values that have no place in it, or an
            id twice.
    """
    file = f"conf/{path.name}"
    try:
        content, digest = read_sections(path, "limits.definitions", "limits")
    except PortfolioError as error:
        if "alias" in str(error):
            # A plain star is an alias in YAML, which nobody means here.
            raise PortfolioError(f'{file}: put the star in quotes, portfolio: "*".') from None
        raise
    try:
        parsed = LimitFile.model_validate(content)
    except ValidationError as error:
        raise PortfolioError(f"{file}, {_explain(error, content)}") from None
    seen: set[str] = set()
    for entry in parsed.limits:
        if entry.id in seen:
            raise PortfolioError(f"{file}, {entry.id}, id: two limits have it; make it unique.")
        seen.add(entry.id)
    return parsed, digest


def _explain(error: ValidationError, content: dict[str, Any]) -> str:
    """Return the first fault as `entry, key: what is wrong`."""
    first = error.errors()[0]
    place = list(first["loc"])
    where = []
    if len(place) > 1 and isinstance(place[1], int):
        entry = content["limits"][place[1]]
        name = entry.get("id") if isinstance(entry, dict) else None
        where = [name if isinstance(name, str) else f"limit {place[1] + 1}"]
        place = place[2:]
    key = ".".join(str(part) for part in place if part not in {"str", "int", "float"})
    where += [key] if key else []
    if first["type"] == "extra_forbidden":
        known = LimitEntry.model_fields if len(where) > 1 else LimitFile.model_fields
        close = difflib.get_close_matches(str(place[-1]), list(known), n=1)
        return f"{', '.join(where)}: unknown key; " + (f"did you mean {close[0]}?" if close else "remove it.")
    if first["type"] == "missing":
        return f"{', '.join(where)}: is missing."
    return f"{', '.join(where)}: {first['msg']}, not {first['input']!r}."
