"""Whether what a project declares can be used, and its rules asked so that an error names the rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, get_args, get_type_hints

from acceleray.engines.processes.signals import first_line
from acceleray.errors import PortfolioError
from acceleray.extend import GateRule, PriceSource, Section, Signal
from acceleray.settings.sections import PRICE_SOURCES
from acceleray.tables import FEATURES

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CHECKS = ("converged", "at_bound", "drifted")
Kind = TypeVar("Kind", Signal, PriceSource, GateRule, Section)


def signals(listed: Sequence[Any], where: str) -> tuple[Signal, ...]:
    """Return the signals that a project lists, if each of them can be used.

    Raises:
        PortfolioError: one is no Signal, has a name that is taken or cannot be a column, has windows that
            cannot be had, or does not say what it is.
    """
    found = _usable(Signal, listed, where, FEATURES.column_names)
    for each in found:
        _refuse_unless_one_of(each, "of", where)
        if not isinstance(each.length, int) or each.length < 1:
            raise PortfolioError(
                f"Signal '{each.name}' of {where} has windows of length {each.length}; use 1 or more."
            )
        if not each.meaning or not each.proposed_by:
            raise PortfolioError(
                f"Signal '{each.name}' of {where} does not say what it means or who proposed it; fill in "
                "meaning and proposed_by."
            )
        _refuse_without_function(each, "statistic", where)
    return found


def sources(listed: Sequence[Any], where: str) -> tuple[PriceSource, ...]:
    """Return the price sources that a project lists, if each of them can be used.

    Raises:
        PortfolioError: one is no PriceSource, or has a name that is taken or cannot be one.
    """
    found = _usable(PriceSource, listed, where, PRICE_SOURCES)
    for each in found:
        _refuse_without_function(each, "read", where)
    return found


def gate_rules(listed: Sequence[Any], where: str) -> tuple[GateRule, ...]:
    """Return the gate rules that a project lists, if each of them can be used.

    Raises:
        PortfolioError: one is no GateRule, has a name that is taken or cannot be one, or is of no gate.
    """
    found = _usable(GateRule, listed, where, _CHECKS)
    for each in found:
        _refuse_unless_one_of(each, "gate", where)
        _refuse_without_function(each, "refuses", where)
    return found


def sections(listed: Sequence[Any], where: str, workloads: Sequence[str]) -> tuple[Section, ...]:
    """Return the sections that a project adds to reports of its workloads, if each of them can be used.

    Raises:
        PortfolioError: one is no Section, has a name that is taken or cannot be one, or is for no workload.
    """
    found = _usable(Section, listed, where, ())
    for each in found:
        if isinstance(each.workloads, str) or not each.workloads:
            raise PortfolioError(f"{_title(each, where)} does not list workloads; list their names.")
        if unknown := [name for name in each.workloads if name not in workloads]:
            raise PortfolioError(
                f"{_title(each, where)} is for workload '{unknown[0]}'; this project has "
                f"{', '.join(workloads)}."
            )
        _refuse_without_function(each, "write", where)
    return found


def refusal(rule: GateRule, evidence: Any) -> str | None:
    """Return why a rule refuses what the evidence is about, or None.

    Raises:
        PortfolioError: the rule raised, or returned neither text nor None.
    """
    try:
        reason = rule.refuses(evidence)
    except Exception as error:
        raise PortfolioError(
            f"Gate rule '{rule.name}' cannot be asked: {type(error).__name__}: {first_line(error)}."
        ) from error
    if reason is not None and not isinstance(reason, str):
        raise PortfolioError(
            f"Gate rule '{rule.name}' returned {type(reason).__name__}; return a reason as text, or None."
        )
    return reason or None


def _usable(kind: type[Kind], listed: Sequence[Any], where: str, names: Iterable[str]) -> tuple[Kind, ...]:
    taken = set(names)
    for place, each in enumerate(listed, 1):
        if not isinstance(each, kind):
            raise PortfolioError(
                f"Number {place} of the list in {where} is a {type(each).__name__}; list objects of "
                f"acceleray.extend.{kind.__name__}."
            )
        if not _NAME.fullmatch(str(each.name)):
            raise PortfolioError(
                f"{_title(each, where)} cannot have that name; use small letters, digits and _."
            )
        if each.name in taken:
            raise PortfolioError(f"{_title(each, where)} has a name that is taken; rename it.")
        taken.add(each.name)
    return tuple(listed)


def _refuse_unless_one_of(each: Signal | GateRule, attribute: str, where: str) -> None:
    known, given = get_args(get_type_hints(type(each))[attribute]), getattr(each, attribute)
    if given not in known:
        raise PortfolioError(
            f"{_title(each, where)} has {attribute}='{given}'; it can be {', '.join(known)}."
        )


def _refuse_without_function(each: Any, attribute: str, where: str) -> None:
    if not callable(getattr(each, attribute)):
        raise PortfolioError(f"{_title(each, where)} has no function as {attribute}; name one.")


def _title(each: Any, where: str) -> str:
    kinds = {Signal: "Signal", PriceSource: "Price source", GateRule: "Gate rule", Section: "Section"}
    return f"{kinds[type(each)]} '{each.name}' of {where}"
