"""A project's own price source is looked up by name, judged like any other, and kept under its name."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.extend import PriceSource
from acceleray.runtime import extensions
from acceleray.runtime.identity import source_name
from acceleray.runtime.inputs import DELIVERED, file_digest
from acceleray.runtime.project import NOTHING_ADDED, Listed, Project
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.as_delivered import FOLDER, keep_delivered
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
    PriceSource("cases", lambda spark, settings: spark.sql(WIDE.replace("date, a, b", "date, a, A"))),
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
    assert {row["source"] for row in run.read(PRICES).collect()} == {name}
    (bad,) = run.read(PRICES_QUARANTINED).collect()
    assert (bad["instrument_id"], bad["date"].isoformat()) == ("a", "2024-01-03")
    assert bad["reason"] == {"vault": "not a number", "wide_vault": "negative"}[name]


@pytest.mark.nightly
def test_its_prices_again_change_nothing(make_run: Callable[..., Run]) -> None:
    chosen = ("market_data.source=vault", "market_data.calendar=weekdays")
    loaded = ingest(run_of(make_run, *chosen))
    again = run_of(make_run, *chosen)
    assert ingest(again).load_id == loaded.load_id
    assert not any(touch.changed for touch in again.touches)


def test_what_it_delivered_is_kept_and_stands_for_it_when_it_is_gone(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two columns that a file of Parquet would take for one.
    chosen = ("market_data.source=cases", "market_data.calendar=weekdays")
    run = run_of(make_run, *chosen)
    loaded = ingest(run)
    [kept] = run.outside
    assert (kept.kind, kept.name) == ("file", DELIVERED)
    assert file_digest(Path(kept.path)) == kept.sha256
    closed = Listed(__name__, "CLOSED")
    monkeypatch.setattr(sys.modules[__name__], "CLOSED", (PriceSource("cases", failing),), raising=False)
    again = make_run(*chosen, f"market_data.delivered={kept.path}")
    again.project = Project(sources=closed)
    assert ingest(again).load_id == loaded.load_id
    assert not any(touch.changed for touch in again.touches)
    gone = make_run(*chosen, "market_data.delivered=gone.parquet")
    gone.project = Project(sources=closed)
    with pytest.raises(PortfolioError, match=r"gone\.parquet, and there is no such file; leave it empty"):
        ingest(gone)


def test_where_spark_sees_no_file_of_this_machine_nothing_is_kept(settings: Callable[..., Settings]) -> None:
    apart = settings("profile=connect", "spark.remote=sc://elsewhere:15002")
    rows: Any = "not looked at"
    assert keep_delivered(rows, apart, "vault") is None


def test_what_was_delivered_goes_when_versions_of_its_age_do(make_run: Callable[..., Run]) -> None:
    run = run_of(make_run, "market_data.source=vault", "market_data.calendar=weekdays")
    folder = run.settings.state_dir / FOLDER
    folder.mkdir(parents=True)
    hours = run.settings.maintenance.vacuum_after_h
    for name, age_h in (("vault-old.parquet", hours + 1), ("vault-new.parquet", hours - 1)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age_h * 3600,) * 2)
    ingest(run)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["vault-new.parquet", Path(run.outside[0].path).name]
    )


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
        "wide_vault, closed, list, empty, cases."
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
