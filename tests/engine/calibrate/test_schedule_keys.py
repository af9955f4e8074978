"""What decides a fit is in its key, and nothing else: a key that forgets an input takes a wrong fit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.stages.calibrate.fits import as_bytes, fit_before
from acceleray.stages.calibrate.schedule import Keys, Remaining, Schedule

WINDOW, FIRST, TERMS = 400, 450, (300, 10, 30)


def key(
    values: NDArray[np.float64], terms: tuple[int, ...] = TERMS, window: int = WINDOW, at: int = 1
) -> str:
    schedule = Schedule([FIRST], values.shape[1])
    return Keys(Remaining(schedule, np.arange(schedule.parts)), values, window, terms)[at]


@pytest.fixture(scope="module")
def values() -> NDArray[np.float64]:
    found = 0.01 * np.random.default_rng(23).standard_t(5, (500, 3))
    # Ended six days before the fit: whether that is too long ago is a setting.
    found[FIRST - 6 :, 1] = np.nan
    return found


@pytest.mark.parametrize("row", [FIRST - WINDOW, FIRST - 200, FIRST - 7])
def test_a_return_in_the_window_is_in_the_key_to_its_last_bit(values: NDArray[np.float64], row: int) -> None:
    moved = values.copy()
    moved[row, 1] = np.nextafter(moved[row, 1], 1.0)
    assert key(moved) != key(values)
    moved[row, 1] = np.nan
    assert key(moved) != key(values)


@pytest.mark.parametrize(("row", "column"), [(FIRST - WINDOW - 1, 1), (FIRST, 1), (499, 1), (FIRST - 1, 0)])
def test_no_other_return_is_in_the_key(values: NDArray[np.float64], row: int, column: int) -> None:
    moved = values.copy()
    moved[row, column] = 0.5
    assert key(moved) == key(values)


def test_a_new_column_and_a_new_row_move_no_key(values: NDArray[np.float64]) -> None:
    wider = np.column_stack([values[:, 0], values[:, 2], values])
    assert key(wider, at=3) == key(values, at=1)
    assert key(np.vstack([values, values[-1:]])) == key(values)


@pytest.mark.parametrize("changed", [(301, 10, 30), (300, 5, 30), (300, 10, 31)])
def test_each_setting_of_a_fit_is_in_its_key(values: NDArray[np.float64], changed: tuple[int, ...]) -> None:
    assert key(values, changed) != key(values)


def test_days_without_a_return_that_are_an_end_are_a_setting_that_decides_the_fit(
    values: NDArray[np.float64],
) -> None:
    fits = [fit_before((FIRST, 1), values, WINDOW, TERMS[0], stale, TERMS[2]) for stale in (10, 5)]
    assert as_bytes(fits[0]) != as_bytes(fits[1])
    assert key(values, (300, 10, 30)) != key(values, (300, 5, 30))
