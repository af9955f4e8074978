"""Ratios are of what was measured, and a side that failed or disagrees cannot hide."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from arena.contest import difference
from arena.figure import write
from arena.outcome import SideOutcome, result
from arena.table import markdown
from publish import page

WORK = SimpleNamespace(
    NAME="work", TITLE="A work", TOLERANCE=1e-9, TARGETS={"spark_ratio": 2.0, "limit_ratio": 1.1}
)


def sides(**changed: SideOutcome) -> dict[str, SideOutcome]:
    return {
        "limit": SideOutcome(start_s=0.5, cold_s=2.0, warm_s=[2.0, 1.0, 30.0], peak_mb=100.0),
        "spark_one": SideOutcome(start_s=6.0, cold_s=9.0, warm_s=[8.0, 9.0, 7.0], peak_mb=500.0),
        "spark_two": SideOutcome(start_s=6.0, cold_s=9.0, warm_s=[6.0, 6.5, 5.0], peak_mb=400.0),
        "ray": SideOutcome(start_s=12.0, cold_s=3.0, warm_s=[2.0, 2.5, 2.0], peak_mb=480.0),
    } | changed


def test_ratios_are_of_medians_and_against_the_fastest_side_of_spark() -> None:
    row = result(WORK, {"rows": 10}, sides())
    assert (row["best_spark"], row["spark_ratio"], row["limit_ratio"]) == ("spark_two", 3.0, 1.0)
    assert (row["memory_spark_ratio"], row["memory_limit_ratio"]) == (1.2, 4.8)
    assert row["from_nothing_spark_ratio"] == 1.0
    assert row["reached"] == {"spark_ratio": True, "limit_ratio": True, "memory_spark_ratio": True}
    assert row["equal"] is True
    assert row["sides"]["limit"]["high_s"] == 30.0


def test_a_work_may_name_the_side_it_is_measured_against() -> None:
    row = result(SimpleNamespace(**vars(WORK), AGAINST="spark_one"), {}, sides())
    assert (row["best_spark"], row["spark_ratio"], row["spark_two_ratio"]) == ("spark_one", 4.0, 3.0)


def test_another_side_of_ours_is_measured_against_spark_too() -> None:
    staged = SideOutcome(start_s=1.0, cold_s=4.0, warm_s=[8.0], peak_mb=480.0)
    row = result(WORK, {}, sides(ray_staged=staged))
    assert (row["ray_staged_ratio"], row["ray_staged_spark_ratio"]) == (4.0, 0.75)


def test_the_usual_way_is_measured_against_ours_and_may_be_less_exact_than_the_other_sides() -> None:
    usual = SideOutcome(start_s=0.5, cold_s=31.0, warm_s=[30.0, 31.0, 29.0], peak_mb=90.0, difference=0.2)
    row = result(SimpleNamespace(**vars(WORK), USUAL_TOLERANCE=0.5), {}, sides(usual=usual))
    assert (row["usual_ratio"], row["usual_difference"], row["largest_difference"]) == (15.0, 0.2, 0.0)
    assert row["equal"] is True
    assert result(WORK, {}, sides(usual=usual))["equal"] is False
    # A side of Spark may be the usual way; where there is none, there is no ratio.
    spark = result(SimpleNamespace(**vars(WORK), USUAL="spark_one"), {}, sides())
    assert spark["usual_ratio"] == 4.0
    assert "usual_ratio" not in result(WORK, {}, sides())
    results = {"machine": {"cpus": 2, "memory_gb": 8, "system": "x"}, "versions": {"a": "1"}, "rows": [row]}
    assert "| A work | 15.00 | 3.00 (spark_two) |" in markdown(results)
    assert "a user would pick instead" in markdown(results)


def test_a_target_that_is_missed_says_so_in_the_table() -> None:
    slow = SideOutcome(start_s=1.0, cold_s=4.0, warm_s=[4.0], peak_mb=480.0)
    row = result(WORK, {}, sides(ray=slow))
    assert row["reached"]["spark_ratio"] is False
    results = {"machine": {"cpus": 2, "memory_gb": 8, "system": "x"}, "versions": {"a": "1"}, "rows": [row]}
    assert "1.50 (target 2 missed) (spark_two)" in markdown(results)


def test_the_page_has_a_cluster_s_part_where_one_was_measured() -> None:
    machine = {"cpus": 2, "memory_gb": 8, "python": "3", "memory_is": "PSS"}
    found = {"measured_at": "2026-01-01", "machine": machine, "versions": {}, "rows": []}
    slow = SideOutcome(start_s=1.0, cold_s=4.0, warm_s=[4.0], peak_mb=480.0)
    there = found | {"measured_at": "2026-01-02", "rows": [result(WORK, {}, sides(ray=slow))]}
    assert "cluster" not in page(found, None)
    part = page(found, None, there).split("## On a Spark cluster")[1]
    assert "on 2026-01-02" in part
    assert "A work: `spark_ratio` 1.5, target 2" in part
    assert "| spark_two | 6.0 |" in part


@pytest.mark.parametrize("found", [SideOutcome(error="no memory"), SideOutcome(1.0, 1.0, [1.0], 1.0, 1e-6)])
def test_a_side_that_failed_or_differs_is_not_equal(found: SideOutcome) -> None:
    row = result(WORK, {}, sides(spark_two=found))
    assert row["equal"] is False
    assert json.loads(json.dumps(row)) == row


def test_without_our_side_there_is_no_ratio_and_no_target_is_reached() -> None:
    row = result(WORK, {}, sides(ray=SideOutcome(error="gone")))
    assert "spark_ratio" not in row
    assert not any(row["reached"].values())


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"a": [1.0, np.nan]}, 0.0),
        ({"a": [1.5, np.nan]}, 0.5),
        ({"a": [1.0, 2.0]}, np.inf),
        ({"a": [1.0]}, np.inf),
        ({"b": [1.0, np.nan]}, np.inf),
    ],
)
def test_answers_are_compared_by_name_shape_gap_and_value(other: dict[str, Any], expected: float) -> None:
    arrays = [
        {name: np.array(values) for name, values in each.items()} for each in ({"a": [1.0, np.nan]}, other)
    ]
    assert difference(*arrays) == expected


def test_the_picture_shows_every_side_that_finished(tmp_path: Any) -> None:
    row = result(WORK, {}, sides(spark_two=SideOutcome(error="gone")))
    write([row], tmp_path / "bench.svg")
    drawn = (tmp_path / "bench.svg").read_text(encoding="utf-8")
    assert "A work" in drawn
    assert "spark one" in drawn
    assert "spark two" not in drawn
