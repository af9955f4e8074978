"""Executors are waited for before Ray is sized, and not for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from acceleray.engines.spark.executors import awaited, configured


def growing(*counts: int) -> tuple[Any, list[float]]:
    """Return a count that grows with each look and stays at its last, and the pauses between."""
    left = list(counts)
    return (lambda: left.pop(0) if len(left) > 1 else left[0]), []


@pytest.mark.parametrize(
    ("wanted", "counts", "found", "pauses"),
    [
        (4, (1, 2, 2, 4), 4, 3),
        (0, (1, 2), 1, 0),
        (2, (5,), 5, 0),
        # One never comes: after ten seconds the run goes on with what is there.
        (3, (1, 2), 2, 10),
    ],
)
def test_executors_are_awaited_up_to_the_configured_number(
    wanted: int, counts: tuple[int, ...], found: int, pauses: int
) -> None:
    count, waited = growing(*counts)
    assert awaited(wanted, count, 10.0, waited.append) == found
    assert len(waited) == pauses


@pytest.mark.parametrize(("stated", "workers"), [("8", 8), ("", 0), (None, 0), ("auto", 0)])
def test_a_cluster_says_how_many_workers_it_is_configured_to_have(stated: str | None, workers: int) -> None:
    session = SimpleNamespace(conf=SimpleNamespace(get=lambda name, default: stated))
    assert configured(cast("Any", session)) == workers
