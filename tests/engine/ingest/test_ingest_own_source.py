"""A project's own price source is looked up by name, judged like any other, and kept under its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.extend import PriceSource
from acceleray.runtime import extensions
from acceleray.runtime.identity import source_name
from acceleray.runtime.project import NOTHING_ADDED, Listed, Project
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICES, PRICES_QUARANTINED

WHERE = "src/portfolio/sources.py"
LONG = """
    SELECT * FROM VALUES ('a', '2024-01-02', '1.1'), ('a', '2024-01-03', 'x'), ('b', '2024-01-02', '2'),
    ('a', '2024-01-04', '1.3'), ('b', '2024-01-03', '2.5'), ('b', '2024-01-04', '2.4')
    AS prices(instrument_id, date, price)
"""
WIDE = """
    SELECT * FROM VALUES (DATE'2024-01-02', 1.1D, 2), (DATE'2024-01-03', -1.0D, 3),
    (DATE'2024-01-04', 1.3D, 4) AS prices(date, a, b)
"""


def failing(spark: Any, settings: Settings) -> Any:
    raise ConnectionError("vault is closed\nand a second line")


SOURCES = (
    PriceSource("vault", lambda spark, settings: spark.sql(LONG)),
    PriceSource("wide_vault", lambda spark, settings: spark.sql(WIDE)),
    PriceSource("closed", failing),
    PriceSource("list", lambda spark, settings: [1, 2]),  # type: ignore[arg-type, return-value]
    PriceSource("empty", lambda spark, settings: spark.sql("SELECT 1.0D AS a")),
)
PROJECT = Project(sources=Listed(__name__, "SOURCES"))


def run_of(make_run: Callable[..., Run], *overrides: str) -> Run:
    run = make_run(*overrides)
    run.project = PROJECT
    return run


@pytest.mark.parametrize("name", ["vault", pytest.param("wide_vault", marks=pytest.mark.nightly)])
def test_its_prices_are_judged_like_any_other(name: str, make_run: Callable[..., Run]) -> None:
    run = run_of(make_run, f"market_data.source={name}", "market_data.calendar=weekdays")
    loaded = ingest(run)
    assert (loaded.received, loaded.accepted, loaded.quarantined, loaded.instruments) == (6, 5, 1, 2)
    assert {row["source"] for row in run.rows(PRICES).to_pylist()} == {name}
    (bad,) = run.rows(PRICES_QUARANTINED).to_pylist()
    assert (bad["instrument_id"], bad["date"].isoformat()) == ("a", "2024-01-03")
    assert bad["reason"] == {"vault": "not a number", "wide_vault": "negative"}[name]


@pytest.mark.nightly
def test_its_prices_again_change_nothing(make_run: Callable[..., Run]) -> None:
    chosen = ("market_data.source=vault", "market_data.calendar=weekdays")
    loaded = ingest(run_of(make_run, *chosen))
    again = run_of(make_run, *chosen)
    assert ingest(again).load_id == loaded.load_id
    assert not any(touch.changed for touch in again.touches)


def test_it_is_kept_under_its_name_and_the_name_that_is_set(settings: Callable[..., Settings]) -> None:
    assert source_name(settings("market_data.source=vault")) == "vault"
    assert source_name(settings("market_data.source=vault", "market_data.name=equities")) == "vault:equities"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("closed", "Price source 'closed' cannot be read: ConnectionError: vault is closed."),
        ("list", "Price source 'list' returned list; return a Spark DataFrame."),
        (
            "empty",
            "Price source empty has no column named date in its columns; name the column of dates date.",
        ),
    ],
)
def test_one_that_delivers_no_prices_is_refused_in_one_line(
    name: str, message: str, make_run: Callable[..., Run]
) -> None:
    with pytest.raises(PortfolioError) as refused:
        ingest(run_of(make_run, f"market_data.source={name}"))
    assert str(refused.value) == message


def test_an_unknown_source_is_refused_before_anything_starts_with_the_known_ones(
    settings: Callable[..., Settings],
) -> None:
    unknown = settings("market_data.source=reuters")
    with pytest.raises(PortfolioError) as refused:
        PROJECT.refuse_unusable(unknown)
    assert str(refused.value) == (
        "There is no price source 'reuters'; market_data.source can be sample, csv, table, simulated, vault, "
        "wide_vault, closed, list, empty."
    )
    with pytest.raises(PortfolioError, match=r"can be sample, csv, table, simulated\.$"):
        NOTHING_ADDED.refuse_unusable(unknown)
    with pytest.raises(PortfolioError, match=r"market_data\.source"):
        settings("market_data.source=Two words")


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([failing], r"Number 1 of the list in src/portfolio/sources\.py is a function; list objects of"),
        ([PriceSource("csv", failing)], "Price source 'csv' of .* has a name that is taken; rename it"),
        ([SOURCES[0], SOURCES[0]], "Price source 'vault' of .* has a name that is taken"),
        ([PriceSource("a:b", failing)], "'a:b' of .* cannot have that name"),
        ([PriceSource("a", None)], "Price source 'a' of .* has no function as read"),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_by_name(listed: list[Any], message: str) -> None:
    with pytest.raises(PortfolioError, match=message):
        extensions.sources(listed, WHERE)
