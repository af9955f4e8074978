"""A session on a real Spark Connect server: who gets one, what it may, and the tables it reads and writes."""

from __future__ import annotations

import gc
import os
import re
import weakref
from collections.abc import Callable
from datetime import date
from typing import Any

import psutil
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.upkeep import upkeep
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.stage import new_stage
from acceleray.engines.handoff.staged import write_stage
from acceleray.engines.spark.connect import connect_session
from acceleray.engines.spark.jvm import has_context
from acceleray.errors import PortfolioError
from acceleray.settings import topology
from acceleray.tables.contract import Column, Table
from connected.serverless import RefusedError, refusing

pytestmark = pytest.mark.spark
QUOTES = Table(
    layer="gold",
    name="connected_quotes",
    comment="Prices that a test invents.",
    key=("instrument_id", "date"),
    columns=(
        Column("source", "string", "Price source."),
        Column("instrument_id", "string", "Instrument."),
        Column("date", "date", "Day."),
        Column("price", "double", "Price.", nullable=True),
    ),
    scope="source",
)


def quotes(rows: int, price: float = 1.0) -> pa.Table:
    """Return so many rows of source `s`."""
    return pa.table(
        {
            "source": ["s"] * rows,
            "instrument_id": [f"I{at}" for at in range(rows)],
            "date": [date(2026, 1, 2)] * rows,
            "price": [price + at if at % 7 else None for at in range(rows)],
        }
    ).cast(QUOTES.arrow_schema)


def test_the_server_listens_on_loopback_alone_and_lets_only_its_token_in(server: str) -> None:
    port = int(str(re.search(r":(\d+)/", server)[1]))  # type: ignore[index]
    each = [
        {one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN}
        for process in psutil.Process(os.getpid()).children(recursive=True)
    ]
    [of_server] = [listening for listening in each if port in {at.port for at in listening}]
    assert {at.ip.removeprefix("::ffff:") for at in of_server} == {"127.0.0.1"}
    stranger = settings_of(re.sub("token=.*", "token=guessed", server))
    with pytest.raises(PortfolioError) as refused, connect_session(stranger):
        pass
    line = str(refused.value)
    assert line == (
        f"The Spark Connect server at localhost:{port} refuses this client: "
        "UNAUTHENTICATED: Invalid authentication token"
    )
    assert "guessed" not in line


def test_where_no_server_is_one_line_says_so() -> None:
    with (
        pytest.raises(PortfolioError) as refused,
        connect_session(settings_of("sc://localhost:9/;token=mine")),
    ):
        pass
    assert str(refused.value) == (
        "No Spark Connect server answers at localhost:9; start it, or set spark.remote (SPARK_REMOTE) to one "
        "that runs."
    )


def test_rows_of_a_lake_are_committed_and_read_as_everywhere(connected: Callable[..., Any]) -> None:
    with connected() as (settings, session), refusing() as refused:
        assert not has_context(session)
        lake = Lake(session, settings)
        first = lake.commit(QUOTES, quotes(40), "s")
        again = lake.commit(QUOTES, quotes(40), "s")
        empty = lake.commit(QUOTES, quotes(0), "t")
        moved = lake.commit(QUOTES, lake.frame(QUOTES, quotes(40, 2.0)), "s")
        part = lake.commit(QUOTES, quotes(1, 5.0), "s", where="instrument_id = 'I0'")
        assert (first.rows, first.changed, again.changed, moved.changed) == (40, True, False, True)
        assert (part.rows, empty.rows) == (40, 0)
        assert lake.read(QUOTES, "s", first.version).count() == 40
        # Written by Spark, and hashed here as there.
        assert lake._content(QUOTES, "s", first.version, None).fingerprint == first.fingerprint
        assert lake.location(QUOTES).is_dir()  # type: ignore[union-attr]
    assert refused == []


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_tables_are_tended_in_a_session_that_refuses_what_serverless_compute_does(
    apart: bool, connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if apart:
        monkeypatch.setattr(topology, "on_this_machine", lambda remote: not remote)
    with connected("maintenance.optimize_above_files=1") as (settings, session), refusing(apart) as refused:
        lake = Lake(session, settings)
        for source in "st":
            lake.commit(QUOTES, quotes(3).set_column(0, "source", pa.array([source] * 3)), source)
        done = upkeep(lake, QUOTES)
        assert (done.before > 1, done.after, done.by_itself) == (True, 1, False)
        assert lake.read(QUOTES, "s").count() == 3
    assert refused == []


def test_a_stopped_session_is_not_collected_in_a_call_of_the_next(connected: Callable[..., Any]) -> None:
    with connected() as opened:
        stopped = weakref.ref(opened[1])
    del opened
    gc.collect()
    assert stopped() is not None


def test_where_files_are_not_shared_rows_go_both_ways_through_this_process(
    connected: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "on_this_machine", lambda remote: not remote)
    with connected("hand_off.rows_per_task=15") as (settings, session), refusing(apart=True) as refused:
        lake = Lake(session, settings)
        assert lake.location(QUOTES) is None
        commit = lake.commit(QUOTES, quotes(40), "s")
        chosen = Selection(QUOTES, commit.version, "s", ("instrument_id", "price"), _known)
        with new_stage(settings) as stage:
            manifest = write_stage(lake, chosen, settings, stage)
        assert manifest.rows == 34
        assert all(file.rows <= 34 for file in manifest.files)
    assert refused == []


def _known(rows: Any) -> Any:
    return rows.where(F.col("price").isNotNull())


def test_the_session_of_these_tests_refuses_what_serverless_compute_does(
    connected: Callable[..., Any],
) -> None:
    with connected() as (_, session), refusing(apart=True) as refused:
        rows = session.range(3)
        for use in (
            rows.cache,
            rows.persist,
            rows.localCheckpoint,
            lambda: rows.createGlobalTempView("view"),
            lambda: session.conf.set("spark.sql.adaptive.enabled", "false"),
            lambda: session.sql("SET spark.sql.adaptive.enabled = false"),
            lambda: session.sql("CREATE TABLE a USING DELTA LOCATION '/a'"),
            lambda: session.read.parquet("/a"),
        ):
            with pytest.raises(RefusedError):
                use()
        for name in ("sparkContext", "_jvm"):
            with pytest.raises(Exception, match="JVM_ATTRIBUTE_NOT_SUPPORTED"):
                getattr(session, name)
        with pytest.raises(Exception, match="rdd is not implemented"):
            rows.rdd  # noqa: B018
        assert session.conf.get("spark.sql.session.timeZone") == "UTC"
    assert len(refused) == 8


def settings_of(remote: str) -> Any:
    """Return settings that lead to an address."""
    from acceleray.settings import Settings

    return Settings.model_validate(
        {"project": {"name": "t", "customer": "T"}, "profile": "connect", "spark": {"remote": remote}}
    )
