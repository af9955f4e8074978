"""What was not measured this time stays on the page of the benchmarks."""

from __future__ import annotations

import pytest

import publish

PAGE = """# Benchmarks

| work |

## On a Spark cluster

Measured on a day.

| work |

## Growth

| grows |

## Extrapolation to larger sizes

- An assumption.

Python 3.11, ray 2.
"""


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("## On a Spark cluster", "## On a Spark cluster\n\nMeasured on a day.\n\n| work |"),
        ("## Growth", "## Growth\n\n| grows |"),
        ("## Extrapolation to larger sizes", "## Extrapolation to larger sizes\n\n- An assumption."),
    ],
)
def test_a_part_ends_where_the_next_one_begins(heading: str, expected: str) -> None:
    assert publish.kept(PAGE, heading) == [expected]


def test_a_page_without_a_part_gets_none() -> None:
    assert publish.kept("# Benchmarks\n", "## Growth") == []
