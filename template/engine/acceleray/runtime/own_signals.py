"""Whether the declarations of a project's own signals can be used, before anything is computed with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

from acceleray.errors import PortfolioError
from acceleray.extend import Signal
from acceleray.tables import FEATURES

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def checked(signals: Sequence[Any], where: str) -> tuple[Signal, ...]:
    """Return the signals that a project lists, if each of them can be used.

    Raises:
        PortfolioError: one is no Signal, has a name that is taken or cannot be a column, or windows that
            cannot be had.
    """
    taken = set(FEATURES.column_names)
    kinds = get_args(get_type_hints(Signal)["of"])
    for place, signal in enumerate(signals, 1):
        if not isinstance(signal, Signal):
            raise PortfolioError(
                f"Number {place} of SIGNALS in {where} is a {type(signal).__name__}; list objects of "
                "acceleray.extend.Signal."
            )
        if not _NAME.fullmatch(str(signal.name)):
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} cannot be a column; use small letters, digits and _."
            )
        if signal.name in taken:
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} is named like another column of gold.features; rename it."
            )
        if signal.of not in kinds:
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} is of '{signal.of}'; it can be of {', '.join(kinds)}."
            )
        if not isinstance(signal.length, int) or signal.length < 1:
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} has windows of length {signal.length}; use 1 or more."
            )
        if not callable(signal.statistic):
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} has no function for a statistic; name one."
            )
        if not signal.meaning or not signal.proposed_by:
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} does not say what it means or who proposed it; fill in "
                "meaning and proposed_by."
            )
        taken.add(signal.name)
    return tuple(signals)
