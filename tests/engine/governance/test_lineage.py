from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.lineage import (
    Load,
    describe_load,
    describe_run,
    evidence,
    loads_of,
    parse_key,
    predicate,
    runs_of_load,
)
from acceleray.tables import BACKTEST_FORECASTS, RETURNS, RISK_MEASURES

DAY = timedelta(days=1)


def a_run(run_id: str, day: int = 1, load_id: str = "load-1", source: str = "sample") -> dict[str, Any]:
    return {
        "run_id": run_id,
        "as_of": date(2022, 12, 28),
        "workload": "end_to_end_pipeline",
        "source": source,
        "load_id": load_id,
        "seed": 4711,
        "code_version": "c0de",
        "settings_json": '{"seed": 4711, "simulation": {"scenarios": 1000, "horizons_d": [1, 10]}}',
        "model_uri": "models:/signal/3",
        "mlflow_run_id": f"mlflow-{run_id}",
        "finished_at": datetime(2026, 1, day, 12, tzinfo=UTC),
    }


def a_touch(run_id: str, stage: str, direction: str, table: str, version: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "stage": stage,
        "direction": direction,
        "table_name": table,
        "version": version,
        "row_count": 20,
        "fingerprint": "f00d" if direction == "wrote" else "",
    }


TOUCHES = [
    a_touch("a", "simulate", "wrote", "gold.risk_measures", 7),
    a_touch("a", "calibrate", "read", "gold.returns", 3),
    a_touch("b", "calibrate", "read", "gold.returns", 4),
]


def test_a_run_tells_everything_that_decided_its_numbers() -> None:
    [found] = evidence(["a"], [a_run("a"), a_run("b")], TOUCHES)
    text = "\n".join(describe_run(found))
    for fact in ("sample", "load-1", "4711", "models:/signal/3", "c0de", "mlflow-a", "2022-12-28"):
        assert fact in text
    assert "simulation.scenarios=1000" in text
    assert "simulation.horizons_d=[1, 10]" in text


def test_a_run_tells_the_delta_version_of_every_table_it_touched_and_of_no_other_run() -> None:
    [found] = evidence(["a"], [a_run("a")], TOUCHES)
    lines = [line.split() for line in describe_run(found)]
    assert ["calibrate", "read", "gold.returns", "3", "20"] in lines
    assert ["simulate", "wrote", "gold.risk_measures", "7", "20", "f00d"] in lines
    assert not any("4" in line for line in lines)


def test_runs_are_told_once_and_the_latest_first() -> None:
    runs = [a_run("a", day=1), a_run("b", day=3), a_run("c", day=2)]
    assert [one.run_id for one in evidence(["a", "b", "a", "c"], runs, [])] == ["b", "c", "a"]


def test_a_run_that_was_stopped_before_its_end_is_told_as_such() -> None:
    [found] = evidence(["gone"], [a_run("a")], [])
    assert "the run was stopped" in describe_run(found)[1]


def test_a_load_is_followed_by_every_run_that_used_it() -> None:
    runs = [a_run("a"), a_run("b", load_id="load-2"), a_run("c", source="csv:mine")]
    assert runs_of_load(Load("sample", "load-1", None), runs) == ["a"]
    load = Load("sample", "load-1", datetime(2026, 1, 1, tzinfo=UTC))
    text = "\n".join(describe_load(load, evidence(["a"], runs, TOUCHES), RETURNS))
    assert "Received       2026-01-01 00:00:00 UTC" in text
    assert "(read version 3 in calibrate)" in text
    assert "none has finished" in describe_load(load, [], RETURNS)[-1]


def test_a_row_that_later_loads_left_as_it_was_is_followed_by_their_runs_too() -> None:
    runs = [
        a_run("before", 1, "load-0"),
        a_run("a", 2),
        a_run("b", 3, "load-2"),
        a_run("c", 4, "x", "csv:mine"),
    ]
    assert runs_of_load(Load("sample", "load-1", datetime(2026, 1, 2, tzinfo=UTC)), runs) == ["a", "b"]
    assert runs_of_load(Load("sample", "load-2", datetime(2026, 1, 3, tzinfo=UTC)), runs) == ["b"]


def test_a_row_that_does_not_name_its_load_comes_from_the_one_that_is_there() -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    here = [Load("sample", "new", day), Load("csv:mine", "other", None), Load("sample", "kept", day - DAY)]
    assert loads_of([{"source": "sample"}], here) == [Load("sample", "new", day)]
    assert loads_of([{"source": "sample", "load_id": "old"}], here) == [Load("sample", "old", None)]


def test_a_key_is_read_in_the_type_of_its_column() -> None:
    pairs = ["portfolio_id=A=B", "confidence=0.99", "horizon_d=10", "as_of=2022-12-28"]
    assert parse_key(RISK_MEASURES, pairs) == {
        "portfolio_id": "A=B",
        "confidence": 0.99,
        "horizon_d": 10,
        "as_of": date(2022, 12, 28),
    }
    assert parse_key(BACKTEST_FORECASTS, ["exception=yes"]) == {"exception": True}


@pytest.mark.parametrize(
    ("pair", "line"),
    [
        ("portfolio_id", "Write KEY=VALUE, not 'portfolio_id'; the key of gold.risk_measures is run_id,"),
        (
            "portfolio=A",
            "gold.risk_measures has no column 'portfolio'; did you mean portfolio_id? Its columns are",
        ),
        ("horizon_d=ten", "'ten' is not a long, which column horizon_d needs."),
        ("as_of=28.12.2022", "'28.12.2022' is not a date, which column as_of needs."),
    ],
)
def test_a_key_that_does_not_fit_is_one_plain_line(pair: str, line: str) -> None:
    with pytest.raises(PortfolioError) as caught:
        parse_key(RISK_MEASURES, [pair])
    assert str(caught.value).startswith(line)


def test_a_value_cannot_become_part_of_the_query() -> None:
    assert predicate({"portfolio_id": "x' OR 'a'='a"}) == r"`portfolio_id` = 'x\' OR \'a\'=\'a'"
    assert predicate({"confidence": 0.99, "as_of": date(2022, 1, 2), "exception": True}) == (
        "abs(`confidence` - CAST('0.99' AS DOUBLE)) <= CAST('9.9e-06' AS DOUBLE)"
        " AND `as_of` = date'2022-01-02' AND `exception` = true"
    )
    assert predicate({}) == "true"
