"""A project's own signals: those that cannot be used are refused by name, the others join the engine's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.extend import Signal
from acceleray.runtime.extensions import signals
from acceleray.runtime.look_ahead import refuse_look_ahead
from acceleray.stages.features.definitions import DEFINITIONS, FEATURE_NAMES
from acceleray.tables import FEATURES
from acceleray.tables.market import feature_names, features_with

WHERE = "src/portfolio/signals.py"
Windows = NDArray[np.float64]


def up_days(returns: Windows) -> Windows:
    return np.asarray((returns > 0.0).mean(axis=1))


def signal(statistic: Callable[..., Any], name: str = "own", of: Any = "prices", length: int = 5) -> Signal:
    return Signal(name, of, length, statistic, "what it means", "Tests 2026")


UP_DAYS = signal(up_days, "up_days", "returns", 10)


def test_the_engines_own_signals_do_not_look_ahead() -> None:
    refuse_look_ahead([*DEFINITIONS, UP_DAYS])


def tomorrow(prices: Windows) -> Windows:
    return np.roll(prices[:, -1], -1) / prices[:, -1] - 1.0


def next_fall(prices: Windows) -> Windows:
    return np.where(np.roll(prices[:, -1], -3) < prices[:, -1], 1.0, 0.0)


def against_all_days(prices: Windows) -> Windows:
    return np.asarray(prices[:, -1] - prices[:, -1].mean())


def against_the_highest_of_all(returns: Windows, market: Windows) -> Windows:
    return returns[:, -1] - market.max()


@pytest.mark.parametrize(
    ("statistic", "of"),
    [
        (tomorrow, "prices"),
        (next_fall, "prices"),
        (against_all_days, "returns"),
        (against_the_highest_of_all, "returns and market"),
    ],
)
@pytest.mark.parametrize("length", [1, 5, 252])
def test_a_signal_that_looks_ahead_is_refused_by_name(
    statistic: Callable[..., Any], of: str, length: int
) -> None:
    with pytest.raises(PortfolioError) as refused:
        refuse_look_ahead([UP_DAYS, signal(statistic, "too_good", of, length)])
    assert str(refused.value) == (
        f"Signal 'too_good' of {WHERE} looks ahead: its value on a day changes when later prices change; "
        "compute each row from its own window alone."
    )


def yesterdays_row(prices: Windows) -> Windows:
    return np.concatenate(([np.nan], prices[:-1, 0])) / prices[:, -1]


def raising(prices: Windows) -> Windows:
    raise ZeroDivisionError("nothing to divide by")


def test_a_signal_that_depends_on_days_before_its_window_is_refused() -> None:
    # It would depend on where a history starts.
    with pytest.raises(PortfolioError, match=r"'own' of .* depends on days before its window of 5; compute"):
        refuse_look_ahead([signal(yesterdays_row)])


@pytest.mark.parametrize(
    ("statistic", "message"),
    [
        (raising, "'own' of src/portfolio/signals.py cannot be computed: ZeroDivisionError: nothing to"),
        (lambda prices: prices, r"returned float64 of shape \(128, 5\) for 128 windows; return one number"),
        (lambda prices: 1.0, r"returned float64 of shape \(\) for 128 windows; return one number per window"),
        (lambda prices: prices[1:, 0], r"shape \(127,\) for 128 windows; return one number per window"),
        (lambda prices: np.full(len(prices), "up"), "returned <U2 of shape"),
        (lambda prices: None, "returned object of shape"),
    ],
)
def test_a_statistic_that_raises_or_returns_something_else_is_refused(
    statistic: Callable[..., Any], message: str
) -> None:
    with pytest.raises(PortfolioError, match=message):
        refuse_look_ahead([signal(statistic)])


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([up_days], "Number 1 of the list in src/portfolio/signals.py is a function; list objects of"),
        ([signal(up_days, "beta_12m")], "'beta_12m' of .* has a name that is taken; rename it"),
        ([signal(up_days, "target")], "'target' of .* has a name that is taken; rename it"),
        ([UP_DAYS, UP_DAYS], "'up_days' of .* has a name that is taken"),
        (
            [signal(up_days, "Up-Days")],
            "'Up-Days' of .* cannot have that name; use small letters, digits and _",
        ),
        ([signal(up_days, "")], "'' of .* cannot have that name"),
        ([signal(up_days, length=0)], "'own' of .* has windows of length 0; use 1 or more"),
        (
            [signal(up_days, of="volumes")],
            "has of='volumes'; it can be prices, returns, returns and",
        ),
        ([signal(0.5)], "has no function as statistic"),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_by_name(listed: Sequence[Any], message: str) -> None:
    with pytest.raises(PortfolioError, match=message):
        signals(listed, WHERE)


def test_own_signals_follow_those_of_the_engine_in_the_table() -> None:
    assert features_with(()) is FEATURES
    found = features_with([UP_DAYS])
    assert feature_names(found) == (*FEATURE_NAMES, "up_days")
    at = found.column_names.index("up_days")
    assert found.column_names[at : at + 3] == ("up_days", "forward_return", "target")
    (column,) = [column for column in found.columns if column.name == "up_days"]
    assert (column.comment, column.unit, column.nullable) == (
        "what it means, ranked",
        "rank -0.5..0.5",
        True,
    )
