"""Judge what no pattern of a question can: whether a time zone exists, and whether a schedule ever comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from acceleray_cli import quartz


def time_zone(name: str) -> str | None:
    """Return what is wrong with a name of the tz database, or None if it is one."""
    zones = available_timezones()
    if name in zones:
        return None
    near = get_close_matches(name, zones, n=1)
    advice = f"did you mean {near[0]}?" if near else "write one such as Europe/Zurich."
    return f"{name!r} is not in the tz database; {advice}"


def schedule(expression: str) -> str | None:
    """Return why a Quartz expression never fires, or None if it does or is empty."""
    wrong = quartz.problem(expression) if expression else None
    return wrong and f"{expression!r} is not a Quartz expression that ever fires: {wrong}."


# By the names of the template's questions, which are public and stay.
JUDGES: dict[str, Callable[[str], str | None]] = {"time_zone": time_zone, "schedule_cron": schedule}


def refused(answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names of questions whose answers cannot be meant, each with one plain line."""
    judged = ((name, JUDGES[name](answers[name])) for name in JUDGES if isinstance(answers.get(name), str))
    return [(name, f"{name}: {problem}") for name, problem in judged if problem]
