"""Instruments on real Spark and Delta, without Ray: who is scored, to which bits, and why others are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.governance.registry import RegisteredModel
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.score import instruments
from acceleray.stages.score.instruments import score_instruments
from acceleray.tables import FEATURES, PREDICTIONS, PREDICTIONS_QUARANTINED, PRICES
from score.scene import DAYS, LAST, SETTINGS, day, days, fill, identified, model, scores

Found = dict[tuple[str, date], Any]


def predictions(run: Run) -> Found:
    rows = run.rows(PREDICTIONS).to_pylist()
    return {(row["instrument_id"], row["feature_date"]): row["score"] for row in rows}


def quarantined(run: Run) -> Found:
    rows = run.rows(PREDICTIONS_QUARANTINED).to_pylist()
    return {(row["instrument_id"], row["feature_date"]): row["reason"] for row in rows}


@pytest.mark.nightly
def test_each_instrument_is_scored_on_its_newest_row_that_is_young_and_known(
    make_run: Callable[..., Run],
) -> None:
    run = identified(make_run(*SETTINGS))
    rows = fill(run)
    known = model(rows)
    counts = score_instruments(run, known, days())
    expected = scores(rows, known.content)
    places = [("LATER", day(24)), ("NEWEST", day(24)), ("YOUNG", day(14))]
    assert predictions(run) == {place: expected[place] for place in places}
    assert len(set(predictions(run).values())) == 3
    assert set(run.rows(PREDICTIONS)["model_uri"].to_pylist()) == {"models:/tests/1"}
    assert str(counts) == "4 rows in = 3 scored + 1 quarantined"


def test_every_instrument_with_a_price_is_scored_or_quarantined_with_its_reason(
    make_run: Callable[..., Run],
) -> None:
    run = identified(make_run(*SETTINGS))
    # A price after the as-of date is not known yet, and neither is who has no other.
    rows = fill(run, LAST | {"LISTED": 24, "GONE": 3}, without=("LISTED", "GONE"))
    later = run.lake.read(PRICES, run.source).where("instrument_id = 'LATER' AND date = DATE'2024-01-28'")
    newcomer = later.withColumn("instrument_id", F.lit("NEW")).select(*PRICES.column_names)
    run.commit(PRICES, run.lake.read(PRICES, run.source).union(newcomer))
    counts = score_instruments(run, model(rows), days())
    assert quarantined(run) == {
        ("OLD", day(13)): "ended on 2024-01-14: no price for more than 10 trading days",
        ("GONE", day(3)): "ended on 2024-01-04: no price for more than 10 trading days",
        ("LISTED", day(24)): "no features: its history is too short",
    }
    assert (counts.rows_in, counts.scored, counts.quarantined) == (6, 3, 3)


def test_a_row_outside_its_contract_is_quarantined_and_the_feature_named(
    make_run: Callable[..., Run],
) -> None:
    run = identified(make_run(*SETTINGS))
    bad = {"HIGH": 0.75, "LOW": -0.5000001, "MOST": float("inf"), "LEAST": float("-inf")}
    rows = fill(run, LAST | dict.fromkeys(bad, 24))
    known = model(rows)
    name = FEATURE_NAMES[5]
    places = zip(
        rows["instrument_id"].to_pylist(), rows["date"].to_pylist(), rows[name].to_pylist(), strict=True
    )
    column = [bad.get(one, value) if when == day(24) else value for one, when, value in places]
    run.commit(FEATURES, rows.set_column(rows.column_names.index(name), name, pa.array(column)))
    counts = score_instruments(run, known, days())
    said = {"HIGH": "0.75", "LOW": "-0.5000001", "MOST": "Infinity", "LEAST": "-Infinity"}
    assert quarantined(run) == {
        **{(one, day(24)): f"{name} is {value}, not from -0.5 to 0.5" for one, value in said.items()},
        ("OLD", day(13)): "ended on 2024-01-14: no price for more than 10 trading days",
    }
    assert set(predictions(run)) == {("LATER", day(24)), ("NEWEST", day(24)), ("YOUNG", day(14))}
    assert (counts.rows_in, counts.scored, counts.quarantined) == (8, 3, 5)


@pytest.mark.nightly
def test_the_last_dates_are_scored_and_the_newest_row_of_who_has_none_there(
    make_run: Callable[..., Run],
) -> None:
    run = identified(make_run(*SETTINGS, "score.history_d=5"))
    rows = fill(run)
    known = model(rows)
    counts = score_instruments(run, known, days())
    places = [(name, day(number)) for name in ("LATER", "NEWEST") for number in range(20, 25)]
    expected = scores(rows, known.content)
    assert predictions(run) == {place: expected[place] for place in (*places, ("YOUNG", day(14)))}
    assert list(quarantined(run)) == [("OLD", day(13))]
    assert (counts.rows_in, counts.scored, counts.quarantined) == (12, 11, 1)


@pytest.mark.nightly
def test_a_long_history_has_the_rows_of_those_that_ended_in_it(make_run: Callable[..., Run]) -> None:
    run = identified(make_run(*SETTINGS, "score.history_d=1000"))
    rows = fill(run)
    counts = score_instruments(run, model(rows), days())
    assert counts.rows_in == counts.scored == sum(min(last, DAYS - 1) + 1 for last in LAST.values())
    assert not quarantined(run)


@pytest.mark.nightly
@pytest.mark.parametrize("way", ["small", "staged"])
def test_the_way_to_ray_and_the_size_of_tasks_change_no_score(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    chosen = (f"hand_off.way={way}", "hand_off.rows_per_task=7", "score.history_d=1000")
    run = identified(make_run(*SETTINGS, *chosen))
    monkeypatch.setattr(instruments, "_TOGETHER", 3)
    rows = fill(run)
    known = model(rows)
    score_instruments(run, known, days())
    expected = {place: value for place, value in scores(rows, known.content).items() if place[1] <= day(24)}
    assert predictions(run) == expected


@pytest.mark.nightly
def test_scoring_again_changes_nothing_and_makes_no_new_version(make_run: Callable[..., Run]) -> None:
    made = []
    for _ in range(2):
        run = identified(make_run(*SETTINGS))
        rows = fill(run)
        score_instruments(run, model(rows), days())
        made.append([touch for touch in run.touches if touch.direction == "wrote"])
    assert all(touch.changed for touch in made[0])
    assert not [touch.table.label for touch in made[1] if touch.changed]
    assert [touch.version for touch in made[0]] == [touch.version for touch in made[1]]


@pytest.mark.nightly
def test_a_row_that_is_lost_stops_the_run(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = identified(make_run(*SETTINGS))
    rows = fill(run)
    whole = instruments.score_rows
    monkeypatch.setattr(instruments, "score_rows", lambda *given, **named: whole(*given, **named).slice(1))
    with pytest.raises(PortfolioError, match="Scoring lost rows: 4 in, but 2 scored and 1 quarantined"):
        score_instruments(run, model(rows), days())


@pytest.mark.nightly
def test_nothing_to_score_is_all_quarantined(make_run: Callable[..., Run]) -> None:
    run = identified(make_run(*SETTINGS))
    rows = fill(run)
    known: RegisteredModel = model(rows)
    empty = identified(make_run(*SETTINGS, "market_data.name=none"))
    fill(empty, {"OLD": 3})
    counts = score_instruments(empty, known, days())
    assert (counts.rows_in, counts.scored, counts.quarantined) == (1, 0, 1)
    assert np.isnan(list(predictions(empty).values())).sum() == 0
