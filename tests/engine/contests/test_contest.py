"""A real contest of one side, without engines; and every work declares what the contest asks for."""

from __future__ import annotations

import sys
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

import rendered
from acceleray.settings import Settings
from arena.anew import WARM_RUNS, anew
from arena.contest import Contestant, Order, beaten, contest
from arena.in_turn import in_turn
from arena.outcome import SideOutcome
from arena.side import Answer, Setting, Side
from bench import decisive, found_works, main
from contestant import serve

SETTINGS = Settings.model_validate({"project": {"name": "contest", "customer": "tests"}})
WORKS = list(found_works())


@pytest.mark.parametrize("name", WORKS)
def test_every_work_has_sides_sizes_and_a_tolerance(name: str) -> None:
    work = import_module(f"works.{name}")
    assert name == work.NAME
    assert {"full", "small"} <= set(work.SIZES)
    assert {"limit", "ray"} <= set(work.SIDES)
    assert any(side.startswith("spark") for side in work.SIDES)
    assert work.TOLERANCE >= 0.0
    ratios = {f"{side}{kind}" for side in work.SIDES for kind in ("_ratio", "_spark_ratio")}
    assert set(work.TARGETS) <= {"limit_ratio", "spark_ratio"} | ratios
    assert getattr(work, "AGAINST", None) in {None, *work.SIDES}


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A small simulation, whose side `limit` needs no engine."""
    simulation = pytest.importorskip("works.simulation")
    size = {"scenarios": 20_000, "instruments": 4, "portfolios": 70}
    simulation.make(tmp_path, size)
    return Order("simulation", tmp_path, size, 2, SETTINGS)


def timed(limit: SideOutcome, runs: int) -> bool:
    """Return whether a side was timed so many times, agrees with itself and was looked at."""
    times = (limit.start_s, limit.cold_s, *limit.warm_s)
    agrees = (limit.difference, limit.error) == (0.0, "")
    return len(limit.warm_s) == runs and min(times) > 0.0 and limit.peak_mb > 10.0 and agrees


@pytest.mark.nightly
def test_a_contest_times_every_round_and_names_what_failed(order: Order) -> None:
    said: list[str] = []
    found = contest(order, ["limit", "nobody"], 2, said.append)
    assert timed(found["limit"], 2)
    assert found["nobody"].error.startswith("KeyError: ")
    assert any("nobody did not start" in line for line in said)


@pytest.mark.nightly
def test_in_one_process_sides_go_in_turn_and_the_next_goes_on_where_one_failed(order: Order) -> None:
    said: list[str] = []
    found = in_turn(order, ["nobody", "limit", "limit"], 2, said.append)
    assert timed(found["limit"], 2)
    assert found["nobody"].error.startswith("KeyError: ")
    assert said[0].startswith("    nobody failed: KeyError")


@pytest.mark.nightly
def test_opened_anew_a_side_starts_and_stops_in_each_round_and_who_fails_is_left_out(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    class Watched(Contestant):
        def __init__(self, order: Order, side: str) -> None:
            happened.append(f"{side} starts")
            super().__init__(order, side)

        def stop(self) -> None:
            super().stop()
            happened.append("stopped")

    monkeypatch.setattr("arena.anew.Contestant", Watched)
    said: list[str] = []
    found = anew(order, ["limit", "nobody"], 2, said.append)
    assert timed(found["limit"], 2 * WARM_RUNS)
    assert found["nobody"].error.startswith("KeyError: ")
    assert happened == ["limit starts", "stopped", "nobody starts", "stopped", "limit starts", "stopped"]
    assert [" ".join(line.split()[:3]) for line in said] == [
        "round 1 limit",
        "nobody failed: KeyError:",
        "round 2 limit",
    ]


def test_a_side_is_closed_when_whoever_asked_has_gone_while_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    happened: list[str] = []

    class Opened(Side):
        def start(self, setting: Setting) -> None:
            happened.append("started")

        def run(self) -> Answer:
            raise NotImplementedError

        def stop(self) -> None:
            happened.append("stopped")

    class Gone(StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setitem(sys.modules, "works.planted", SimpleNamespace(SIDES={"opened": Opened}))
    what = {"work": "planted", "side": "opened", "folder": str(tmp_path), "size": {}, "workers": 1}
    with pytest.raises(BrokenPipeError):
        serve({**what, "settings": SETTINGS.model_dump(mode="json")}, Gone())
    assert happened == ["started", "stopped"]


@pytest.mark.parametrize("bad", [("--rounds", "0"), ("--anew", "--in-turn")])
def test_options_that_cannot_be_meant_are_refused(
    bad: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.py", *bad])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("bench.py: error: argument --")


def test_on_databricks_a_table_that_no_catalog_knows_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["bench.py", "--profile", "databricks", "--work", "handoff", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", options)
    monkeypatch.setattr("bench.PROJECT", rendered.project())
    assert main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("handoff makes its table in a folder")


def test_of_sides_of_spark_the_hopelessly_slow_are_timed_twice_and_no_other_side_is() -> None:
    cold = {"limit": 300.0, "spark_a": 8.0, "spark_b": 39.0, "spark_c": 84.0, "ray": 500.0}
    assert beaten({name: SideOutcome(cold_s=seconds) for name, seconds in cold.items()}) == {"spark_c"}
    assert beaten({"spark_a": SideOutcome(cold_s=1.0), "spark_b": SideOutcome(cold_s=20.0)}) == set()
    assert beaten({"limit": SideOutcome(cold_s=1.0)}) == set()


def test_sides_that_a_target_names_go_all_rounds() -> None:
    work = SimpleNamespace(SIDES={"spark_full": 1, "spark_other": 2}, TARGETS={"spark_full_ratio": 3.0})
    assert decisive(work) >= {"spark_full"}
    assert "spark_other" not in decisive(work)
    assert "spark_other" in decisive(SimpleNamespace(**vars(work) | {"AGAINST": "spark_other"}))
