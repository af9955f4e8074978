"""The benchmark of a morning: its files, what it reads from a run's lines, its shares, and its plan."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import capacity
from days import account, command, paper
from days.universe import SAMPLE, SIZES, SMALL, Universe

SAID = """Calibrate -> Train -> Simulate -> Score, as of the last price
  Start MLflow, Spark and Ray                        8.0 s
    a kept fit is damaged and is recomputed
  Calibrate GJR-GARCH-t (Ray)                      120.5 s
Error: The disk is full
"""


def day(size: str, engine: str, day: str, seconds: float, start_s: float = 10.0) -> dict[str, Any]:
    stages = [("Start MLflow", start_s), ("Simulate (Ray)", seconds - start_s - 2.0), ("Limits", 1.0)]
    rows = [{"title": title, "seconds": took, "peak_mb": 1000.0} for title, took in stages]
    about = {"size": size, "engine": engine, "day": day, "error": "", "peak_mb": 1000.0}
    return about | {"seconds": seconds, "start_s": start_s, "stages": rows}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_day_two_is_day_one_and_one_date_more(tmp_path: Path, kind: str) -> None:
    size = SMALL[0]
    universe = Universe(size, tmp_path, kind)
    read = pq.read_table if kind == "parquet" else csv.read_csv
    universe.write_day(1)
    first = read(universe.path)
    universe.write_day(2)
    second = read(universe.path)
    assert (first.num_rows, second.num_rows) == (size.days - 1, size.days)
    assert second.num_columns == 1 + size.instruments
    assert second.slice(0, size.days - 1).equals(first)


def test_a_sparse_book_has_its_lines_in_weights_of_one_below_desks(tmp_path: Path) -> None:
    size = SMALL[1]
    universe = Universe(size, tmp_path)
    held = csv.read_csv(tmp_path / "positions.csv").to_pandas()
    assert len(held) == size.portfolios * size.lines
    assert not held.duplicated(["portfolio_id", "instrument_id"]).any()
    assert np.allclose(held.groupby("portfolio_id")["weight"].sum(), 1.0, atol=1e-5)
    parents = csv.read_csv(tmp_path / "portfolios.csv").to_pandas().set_index("portfolio_id")["parent_id"]
    roots = set(parents.index[parents.isna() | (parents == "")])
    assert set(parents[held["portfolio_id"].unique()]) == roots
    assert any(one.startswith("book.portfolios_path=") for one in universe.settings)
    # All sizes but the sample have 100 lines, or half of their instruments.
    assert all(one.lines == min(100, one.instruments // 2) for one in SIZES if one is not SAMPLE)


def test_the_sample_as_files_has_its_rates_and_its_own_book(tmp_path: Path) -> None:
    universe = Universe(SAMPLE, tmp_path)
    universe.write_day(2)
    prices = pq.read_table(universe.path)
    assert (prices.num_rows, prices.num_columns) == (SAMPLE.days, 1 + SAMPLE.instruments)
    # There was no euro before 1999.
    assert prices["EURUSD"].null_count > 2_000
    assert prices["AAPL"].null_count == 0
    named = dict(one.split("=", 1) for one in universe.settings if one.startswith("book."))
    assert named["book.source"] == "csv"
    for setting in ("book.path", "book.portfolios_path", "book.instruments_path"):
        assert csv.read_csv(named[setting]).num_rows


def test_stages_are_what_a_run_says_of_them_with_the_peak_of_their_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory, clock, heard = command.Memory(os.getpid()), iter([108.0, 230.0]), list[str]()
    memory.samples = [(99.0, 700.0), (101.0, 500.0), (107.0, 900.0), (150.0, 1500.0), (229.0, 1200.0)]
    monkeypatch.setattr(command.time, "monotonic", lambda: next(clock))
    stages, last = command.followed(SAID.splitlines(keepends=True), memory, heard.append)
    assert stages == (
        command.Stage("Start MLflow, Spark and Ray", 8.0, 900.0),
        command.Stage("Calibrate GJR-GARCH-t (Ray)", 120.5, 1500.0),
    )
    assert last == "Error: The disk is full"
    assert len(heard) == 2
    assert command.Day(140.0, 1500.0, stages).work_s == 132.0


def test_shares_are_of_the_other_engines_day_one_with_and_without_the_start() -> None:
    rows = [day("sample", "this", "day 1", 80.0), day("sample", "this", "day 2", 42.0)]
    rows += [day("sample", "before", "day 1", seconds, 20.0) for seconds in (150.0, 160.0, 900.0)]
    ours, before = account.table(rows)[2:]
    assert [cell.strip() for cell in ours.split("|")[3:-1]] == [
        *("80.0 s", "42.0 s", "52 %", "46 %", "-", "1.00 / 1.00"),
        *("50 %", "26 %", "23 %"),
    ]
    assert before.split("|")[4].strip() == "-"
    failed = day("sample", "this", "day 2", 1.0) | {"error": "no prices"}
    assert account.table([rows[0], failed])[2].split("|")[4].strip() == "-"


def test_on_paper_only_what_grows_in_an_engine_is_divided_among_cores() -> None:
    points = {
        "day 1": [
            (1_000, {"Simulate (Ray)": 10.0, "Limits": 1.0}),
            (10_000, {"Simulate (Ray)": 100.0, "Limits": 1.0}),
        ]
    }
    found = {growth.stage: growth for growth in paper.growths(points)}
    assert found["Simulate (Ray)"].exponent == pytest.approx(1.0)
    assert found["Limits"].exponent == pytest.approx(0.0, abs=1e-9)
    assert found["all"].seconds == (11.0, 101.0)
    node = capacity.Machine(cores=20, price=0.0)
    plan = list(paper.plans(list(found.values()), node, 2, 0.5, {"ten times": 100_000}))
    # 1,000 s in all, of which 10 stay; on 1, 10 and 100 nodes 5, 50 and 500 times the cores at work here.
    assert [one.nodes for one in plan] == list(capacity.NODES)
    assert [one.seconds for one in plan] == pytest.approx([11 + 990 / 5, 11 + 99 / 5, 11 + 9.9 / 5], abs=0.05)
