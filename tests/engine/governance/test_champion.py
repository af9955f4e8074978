"""Who is champion as of a date: from rows alone, and from real tables."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from acceleray.advice import TO_TRAIN
from acceleray.errors import PortfolioError
from acceleray.governance import champion as module
from acceleray.governance.champion import (
    champion_as_of,
    decisions,
    features_contract,
    find_champion,
    promoted_as_of,
    trained_by,
)
from acceleray.runtime.run import Run
from acceleray.tables import MODEL_DECISIONS
from governance.deciding import CONTRACT, NAME, PROMOTED, day, decided


def reigns(rows: list[dict[str, Any]], year: int) -> int | None:
    found = champion_as_of(rows, day(year))
    return None if found is None else int(found["model_version"])


def test_the_champion_of_a_date_is_the_one_promoted_last_before_it() -> None:
    assert [reigns(PROMOTED, year) for year in (2009, 2010, 2014, 2015, 2020)] == [None, 1, 1, 3, 3]
    assert reigns(PROMOTED[::-1], 2020) == 3


def test_a_backfill_never_takes_a_model_that_has_seen_the_future() -> None:
    # A model as of 2012 that was trained today.
    rows = [*PROMOTED, decided(4, 4, "promoted", 2012)]
    assert [reigns(rows, year) for year in (2011, 2012, 2014, 2015)] == [1, 4, 4, 3]


def test_of_two_promoted_for_the_same_date_the_higher_version_reigns() -> None:
    assert reigns([decided(2, 8, "promoted", 2010), decided(1, 7, "promoted", 2010)], 2010) == 8


def test_a_withdrawn_version_is_not_used_from_the_date_it_is_withdrawn_for() -> None:
    rows = [*PROMOTED, decided(5, 3, "withdrawn", 2018)]
    assert [reigns(rows, year) for year in (2014, 2015, 2017, 2018)] == [1, 3, 3, 1]
    # Withdrawn since its own beginning: as if it had never been.
    assert reigns([*PROMOTED, decided(5, 3, "withdrawn", 2015)], 2016) == 1


def test_what_was_decided_last_about_a_version_counts() -> None:
    rows = [*PROMOTED, decided(5, 3, "withdrawn", 2015), decided(6, 3, "promoted", 2015)]
    assert reigns(rows, 2016) == 3
    # In the same instant a withdrawal is the later one.
    rows = [decided(1, 1, "withdrawn", 2010), decided(1, 1, "promoted", 2010)]
    assert reigns(rows, 2010) is None


def test_promoted_versions_are_listed_with_the_champion_last() -> None:
    assert [row["model_version"] for row in promoted_as_of(PROMOTED, date.max)] == [1, 3]


def test_a_version_was_trained_by_the_run_that_decided_about_it_first() -> None:
    rows = [*PROMOTED, decided(5, 3, "withdrawn", 2015), decided(6, 3, "promoted", 2015)]
    found = champion_as_of(rows, date.max)
    assert found is not None
    assert (found["run_id"], trained_by(rows, found)) == ("run-6", "run-3")


def test_the_contract_knows_names_order_and_horizon() -> None:
    assert features_contract(["momentum", "volatility"], 21) == CONTRACT
    others = {
        features_contract(("volatility", "momentum"), 21),
        features_contract(("momentum",), 21),
        features_contract(("momentum", "volatility"), 5),
        features_contract(("momentum,volatility",), 21),
    }
    assert len(others | {CONTRACT}) == 5
    assert len(CONTRACT) == 64


@pytest.fixture
def ask(make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function from decisions, made in as many runs, to the champion as of a date."""
    run = make_run("market_data.source=csv", "market_data.path=x.csv")
    monkeypatch.setattr(
        module, "stored_content", lambda settings, client, name, version: f"v{version}".encode()
    )

    def find(rows: list[dict[str, Any]], as_of: date, contract: str = CONTRACT) -> Any:
        run.lake.open(MODEL_DECISIONS)
        # In one commit, where runs make one each: that several are read is in the test of `decisions`.
        table = pa.Table.from_pylist(rows, schema=MODEL_DECISIONS.arrow_schema)
        if rows:
            run.lake.frame(MODEL_DECISIONS, table).writeTo(run.lake.identifier(MODEL_DECISIONS)).append()
        return find_champion(run.lake, run.settings, None, "csv:x", as_of, contract)

    return find


def test_the_champion_comes_with_its_bytes_and_the_run_that_trained_it(ask: Callable[..., Any]) -> None:
    other = decided(9, 9, "promoted", 2020, source="csv:y")
    found = ask([*PROMOTED, other], day(2021))
    assert (found.version, found.content, found.run_id) == (3, b"v3", "run-3")
    assert (found.uri, found.effective_from) == (f"models:/{NAME}/3", day(2015))


def test_no_champion_is_one_plain_line_that_says_what_to_do(ask: Callable[..., Any]) -> None:
    with pytest.raises(PortfolioError) as caught:
        ask([], day(2020))
    assert str(caught.value) == f"There is no champion of csv:x yet; train one first: {TO_TRAIN}."
    with pytest.raises(PortfolioError) as caught:
        ask(PROMOTED[1:2], day(2020))
    assert "every model was refused or withdrawn; `portfolio models` says why" in str(caught.value)


def test_a_date_before_the_first_champion_names_the_earliest_date(ask: Callable[..., Any]) -> None:
    with pytest.raises(PortfolioError) as caught:
        ask(PROMOTED, day(2009))
    assert str(caught.value) == (
        "No model of csv:x was champion as of 2009-12-31: the first is since 2010-12-31; score a later date, "
        f"or train one as of then: {TO_TRAIN} with `--as-of 2009-12-31`."
    )


def test_a_champion_of_other_features_is_one_plain_line(ask: Callable[..., Any]) -> None:
    with pytest.raises(PortfolioError, match=r"version 3 of .* was trained on other features"):
        ask(PROMOTED, day(2020), features_contract(("momentum",), 21))


def test_decisions_are_those_of_one_source_in_the_order_they_were_made(make_run: Callable[..., Run]) -> None:
    run = make_run("market_data.source=csv", "market_data.path=x.csv")
    assert decisions(run.lake) == []
    for row in (PROMOTED[2], PROMOTED[0], decided(0, 1, "promoted", 2010, source="it's", run_id="other")):
        table = pa.Table.from_pylist([row], schema=MODEL_DECISIONS.arrow_schema)
        run.lake.commit(MODEL_DECISIONS, table, row["run_id"])
    assert [row["run_id"] for row in decisions(run.lake, "csv:x")] == ["run-1", "run-3"]
    assert [row["run_id"] for row in decisions(run.lake, "it's")] == ["other"]
    assert len(decisions(run.lake)) == 3
