from pathlib import Path

import pytest

from acceleray.doctor.advice import advise, decide
from acceleray.doctor.measured import Measured, measured
from acceleray.doctor.sizes import Work, panel, works
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load

SIDE = {"median_s": 2.0, "start_s": 7.0}


def row(work: str, spark_ratio: float, **size: int) -> dict[str, object]:
    return {
        "work": work,
        "size": size,
        "sides": {"ray": SIDE, "limit": SIDE},
        "spark_ratio": spark_ratio,
        "best_spark": "spark_arrow",
        "limit_ratio": 3.0,
    }


KNOWN = Measured(
    "a test",
    2,
    {
        "calibration": row("calibration", 1.5, fits=10, shortest_d=100, longest_d=300),
        "simulation": row("simulation", 1.02, scenarios=1000, instruments=2, portfolios=10),
        "scoring": row("scoring", 0.5, rows=100, features=2, trees=10),
        "training": row("training", 0.4, rows=100, features=2, rounds=10),
        "etl": row("etl", 0.1, instruments=10, days=10),
    },
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (tmp_path / "conf" / "local.yml").write_text("")
    return tmp_path


def work(pattern: str, core_s: float | None, row: str, memory_gb: float = 0.0) -> Work:
    return Work("a stage", pattern, "much", core_s, row, memory_gb)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "engine", "reason"),
    [
        (work("tables", None, "etl"), "Spark", "10.0 times as long"),
        (work("uneven", 100.0, "calibration"), "Ray", "1.5 times as fast as Spark alone"),
        (work("uneven", 6.0, "calibration"), "one process", "the engines have started, which takes 7 s"),
        (work("shared", 100.0, "simulation"), "either", "use the one your team knows"),
        (work("map", 100.0, "scoring"), "Spark", "took 0.50 of Ray's time"),
        (work("stopped early", None, "tuning"), "measure", "make bench ARGS='--work tuning'"),
        (work("one fit", 100.0, "training"), "one process", "3.0 times as long as one process"),
        (work("one fit", 100.0, "training", memory_gb=5.0), "Ray", "too much for one process"),
    ],
)
def test_the_first_question_that_is_answered_decides(one: Work, engine: str, reason: str) -> None:
    found = decide(one, KNOWN, cores=2, memory_mb=10_000)
    assert found.engine == engine
    assert reason in found.reason


def test_where_ray_cannot_run_everything_but_one_process_is_sparks() -> None:
    found = decide(work("uneven", 1e6, "calibration"), KNOWN, 2, refusal="This is serverless compute.")
    assert (found.engine, found.reason) == ("Spark", "This is serverless compute.")


def test_a_unit_is_what_one_core_needs_for_one_of_everything_that_was_counted() -> None:
    assert KNOWN.unit_s("simulation") == pytest.approx(2.0 * 2 / (1000 * 2 * 10))
    assert KNOWN.unit_s("calibration") == pytest.approx(2.0 * 2 / (10 * 200)), "a fitted day"
    assert KNOWN.unit_s("tuning") is None


def test_twice_the_instruments_are_twice_the_work(project: Path) -> None:
    settings = load(project)
    counted = list(works(settings, 100, 2000, KNOWN))
    one = {each.name: each.core_s for each in counted}
    two = {each.name: each.core_s for each in works(settings, 200, 2000, KNOWN)}
    grown = {name: two[name] / seconds for name, seconds in one.items() if seconds}
    # A project may have no stage but those that are tables alone.
    assert grown.keys() == {
        each.name for each in counted if each.pattern != "tables" and each.row in KNOWN.rows
    }
    assert grown == pytest.approx(dict.fromkeys(grown, 2.0))


def test_the_sample_has_as_many_fits_as_the_calibration_makes(project: Path) -> None:
    # 620 is what the workload itself reports for the sample with the settings it comes with.
    amounts = [each.amount for each in works(load(project), 20, 8313, KNOWN) if each.name == "calibrate"]
    assert amounts in ([], ["620 fits of different lengths"])


def test_a_csv_file_is_counted_and_a_table_is_asked_for(project: Path) -> None:
    (project / "prices.csv").write_text("date,A,B,C\n2020-01-01,1,2,3\n2020-01-02,1,2,3\n")
    csv = ("market_data.source=csv", "market_data.path=prices.csv")
    assert panel(load(project, overrides=csv), None, None) == (3, 2)
    assert panel(load(project, overrides=csv), 50, None) == (50, 2)
    with pytest.raises(PortfolioError, match="add --instruments N --days N"):
        panel(load(project, overrides=("market_data.source=table", "market_data.table=a.b")), None, None)
    with pytest.raises(PortfolioError, match="There is no file"):
        panel(load(project, overrides=("market_data.source=csv", "market_data.path=no.csv")), None, None)


def test_what_the_project_came_with_answers_for_every_stage_until_it_is_measured_here(project: Path) -> None:
    settings: Settings = load(project)
    lines = list(advise(settings))
    assert "the shipped measurement" in lines[0]
    assert lines[2].startswith("Spark        ingest and features")
    # A stage without a measurement asks for one, and no other does.
    shipped = measured(project).rows
    asking = [line.rpartition("--work ")[2].rstrip("'.") for line in lines if line.startswith("measure")]
    assert not set(asking) & set(shipped)
    assert len(asking) < len(lines) - 2

    (project / "build").mkdir()
    (project / "build" / "bench.json").write_text(
        '{"measured_at": "2030-01-02T00:00:00", "machine": {"cpus": 8}, "rows": []}'
    )
    assert "make bench of 2030-01-02" in next(iter(advise(settings)))
    (project / "build" / "bench.json").write_text("{")
    with pytest.raises(PortfolioError, match="delete it or run make bench"):
        measured(project)
