"""Batch scoring as people run it: notebooks train a champion and score a date, twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from workloads.in_process import ask, rows, run_notebook
from workloads.running import Ran, schemas

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

SMALL = (
    *("train.folds=2", "train.minimum_train_d=300", "train.minimum_rank_ic=-1", "model.rounds=10"),
    *("calibration.window_d=700", "calibration.first_fit_d=900", "simulation.residual_window_d=700"),
    *("simulation.scenarios=20000", "book.portfolios=30"),
)
FIRST, BETWEEN, LATER = "2022-05-31", "2022-08-31", "2022-12-28"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Path:
    """Return a home with two champions: one trained, and one that is so only after the scored date."""
    folder = tmp_path_factory.mktemp("runs")
    trained = run_notebook("distributed_training", folder, spark, *SMALL, f"as_of={FIRST}")
    (first,) = rows(spark, trained, "gold.model_decisions")
    later = first | {"run_id": "later", "model_version": 2, "effective_from": date.fromisoformat(LATER)}
    place = str(trained.state / "warehouse" / schemas(folder)["gold"] / "model_decisions")
    schema = spark.read.format("delta").load(place).schema
    spark.createDataFrame([later], schema).write.format("delta").mode("append").save(place)
    return folder


@pytest.fixture(scope="module")
def ran(home: Path, spark: Any) -> Ran:
    return run_notebook("batch_inference", home, spark, *SMALL, f"as_of={BETWEEN}")


def test_the_champion_is_the_one_of_the_date_and_stands_in_every_row(ran: Ran, spark: Any) -> None:
    decided = rows(spark, ran, "gold.model_decisions")
    assert {(row["model_version"], str(row["effective_from"])) for row in decided} == {
        (1, FIRST),
        (2, LATER),
    }
    assert "version 1, since 2022-05-31" in ran.out
    for label in ("gold.predictions", "gold.portfolio_scores"):
        (uri,) = {row["model_uri"] for row in rows(spark, ran, label)}
        assert uri.endswith("/1")


def test_rows_in_are_rows_out_for_instruments_and_portfolios(ran: Ran, spark: Any) -> None:
    assert "passed: 5 rows in = 5 scored + 0 quarantined" in ran.out
    scored = rows(spark, ran, "gold.predictions")
    assert {row["feature_date"] for row in scored} == {date.fromisoformat(BETWEEN)}
    book = {row["portfolio_id"] for row in rows(spark, ran, "gold.portfolios")}
    found = rows(spark, ran, "gold.portfolio_scores")
    assert len(found) == len(book) == 30
    assert {row["portfolio_id"] for row in found} == book


def test_scores_components_and_exposures_are_those_of_the_positions(ran: Ran, spark: Any) -> None:
    weights = rows(spark, ran, "gold.positions")
    score = {row["instrument_id"]: row["score"] for row in rows(spark, ran, "gold.predictions")}
    beta = {
        (row["instrument_id"], row["factor_id"]): row["beta"] for row in rows(spark, ran, "gold.factor_betas")
    }
    parts = [
        row
        for row in rows(spark, ran, "gold.risk_contributions")
        if row["horizon_d"] == 1 and row["measure"] == "expected_shortfall"
    ]
    exposed = {
        (row["portfolio_id"], row["factor_id"]): row for row in rows(spark, ran, "gold.portfolio_exposures")
    }
    assert {factor for _, factor in exposed} == {factor for _, factor in beta}
    for row in rows(spark, ran, "gold.portfolio_scores"):
        own = {w["instrument_id"]: w["weight"] for w in weights if w["portfolio_id"] == row["portfolio_id"]}
        expected = sum(weight * score[name] for name, weight in own.items())
        assert row["expected_score"] == pytest.approx(expected, abs=1e-12)
        whole = sum(part["contribution"] for part in parts if part["portfolio_id"] == row["portfolio_id"])
        assert whole == pytest.approx(row["es_pct_nav"] / 100 * 1e6, rel=1e-9)
        for (portfolio_id, factor), one in exposed.items():
            if portfolio_id == row["portfolio_id"]:
                known = {name: beta[name, factor] for name in own if beta[name, factor] is not None}
                total = sum(own[name] * value for name, value in known.items())
                assert one["exposure"] == pytest.approx(total, abs=1e-12)
                assert one["covered_pct_nav"] == pytest.approx(100 * sum(own[name] for name in known))


def test_scoring_the_same_date_again_commits_nothing(ran: Ran, home: Path, spark: Any) -> None:
    before = _versions(ran)
    again = run_notebook("batch_inference", home, spark, *SMALL, f"as_of={BETWEEN}", "ray.workers=1")
    assert _versions(again) == before
    assert again.out.strip().splitlines()[-1] == ran.out.strip().splitlines()[-1]


def test_a_score_resolves_to_its_model_and_the_report_names_it(ran: Ran, home: Path, spark: Any) -> None:
    (uri,) = {row["model_uri"] for row in rows(spark, ran, "gold.portfolio_scores")}
    for asked in (
        ("gold.portfolio_scores", "portfolio_id=REFERENCE"),
        ("gold.predictions", "instrument_id=JPM"),
    ):
        said = ask(home, spark, "lineage", *asked)
        assert said.code == 0, said.error
        for word in ("batch_inference", uri, "silver.prices", "gold.features"):
            assert word in said.out
    page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
    assert "5 rows came in and every one was scored." in page.replace("\u00a0", " ")
    assert "after the as-of date" in page


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("as_of=2022-04-29", "the first is since 2022-05-31"),
        ("market_data.name=other", "There is no champion of csv:other yet"),
        ("features.horizon_d=10", "was trained on other features or another horizon"),
    ],
)
def test_without_a_champion_that_fits_the_run_ends_in_one_line_after_ingest(
    home: Path, spark: Any, setting: str, said: str
) -> None:
    with pytest.raises(PortfolioError, match=said) as refused:
        run_notebook("batch_inference", home, spark, *SMALL, setting)
    assert "\n" not in str(refused.value)


def test_where_every_model_was_refused_risk_goes_on_without_scores(home: Path, spark: Any) -> None:
    other = ("market_data.name=refused", "train.minimum_rank_ic=0.99", f"as_of={FIRST}")
    trained = run_notebook("distributed_training", home, spark, *SMALL, *other)
    assert "Gate: refused" in trained.out or "refused: " in trained.out
    ran = run_notebook("batch_inference", home, spark, *SMALL, *other)
    said = "no scores, risk only: There is no champion of csv:refused as of 2022-05-31"
    assert said in ran.out
    assert "passed" not in ran.out
    found = [row for row in rows(spark, ran, "gold.portfolio_scores") if row["model_uri"] == ""]
    assert len(found) == 30
    assert all(row["es_pct_nav"] > 0.0 and row["unscored_pct_nav"] > 99.0 for row in found)
    page = Path(ran.out.strip().splitlines()[-1].removeprefix("Report: ")).read_text(encoding="utf-8")
    assert "No champion, no scores" in page


def _versions(ran: Ran) -> dict[str, int]:
    """Return how many commits each table has."""
    logs = (ran.state / "warehouse").glob("*/*/_delta_log")
    return {log.parent.name: len(list(log.glob("*.json"))) for log in logs}
