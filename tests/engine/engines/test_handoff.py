"""The ways of the hand-off on real Spark and Delta: the same bits, chosen with a reason."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
import ray
from pyspark.sql import functions as F

from acceleray.engines.handoff.driver_read import rows_here
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.ways import handed_over
from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.tables.contract import Column, Table
from engines import handing
from engines.handing import ODD_SCOPE, SCORES, TRADES, Inline, expected, fill, same, scores, stages, transform

# Thirty rows to a task, so that everything comes in several fragments.
WAYS = {way: (f"hand_off.way={way}", "hand_off.rows_per_task=30") for way in ("small", "direct", "staged")}
# All three go through Ray in one test; without it one at a time, the others at night.
EACH_WAY = pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way == "direct" else [pytest.mark.nightly]) for way in WAYS]
)


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Callable[..., Run]]) -> tuple[Callable[..., Run], int, int]:
    """One project whose table has two versions, one with 50 rows of source one and one with 100."""
    make = new_project()
    older = fill(make().lake, "one", 50)
    fill(make().lake, ODD_SCOPE, 20)
    return make, older, fill(make().lake, "one", 100)


@pytest.fixture(scope="module", autouse=True)
def sent_by_value() -> Iterator[None]:
    ray.cloudpickle.register_pickle_by_value(handing)
    yield
    ray.cloudpickle.unregister_pickle_by_value(handing)


@pytest.mark.ray
def test_three_ways_through_ray_give_the_bits_computed_without_it(project: Any, fan_out: FanOut) -> None:
    make, _, version = project
    for way, overrides in WAYS.items():
        run = make(*overrides)
        done = transform(run, fan_out, version)
        assert done.reason.startswith(f"{way}: ")
        assert (done.rows, done.commit.rows, done.commit.changed) == (100, 100, True)
        assert same(scores(run), expected(100)), way
        assert stages(run) == []
        clear(run)


@pytest.mark.ray
def test_an_error_in_a_function_is_one_line_naming_function_and_table(project: Any, fan_out: FanOut) -> None:
    make, _, version = project
    run = make(*WAYS["staged"])
    with pytest.raises(
        PortfolioError, match=r"^forgetful failed on part 0 of silver.trades: ValueError"
    ) as it:
        transform(run, fan_out, version, function=handing.forgetful)
    assert "\n" not in str(it.value)
    assert stages(run) == []


@EACH_WAY
def test_an_older_version_gives_the_older_rows(project: Any, way: str) -> None:
    make, older, _ = project
    run = make(*WAYS[way])
    fan_out = Inline()
    assert transform(run, fan_out, older).rows == 50
    assert fan_out.maps == 1
    assert same(scores(run), expected(50))
    clear(run)


@EACH_WAY
def test_a_scope_full_of_quotes_is_a_value_and_nothing_else(project: Any, way: str) -> None:
    make, _, version = project
    run = make(*WAYS[way])
    assert transform(run, Inline(), version, ODD_SCOPE).rows == 20
    assert same(scores(run), expected(20))
    assert transform(run, Inline(), version, "x' OR '1' = '1").rows == 0
    assert scores(run).num_rows == 0
    clear(run)


@pytest.mark.nightly
def test_of_a_file_with_rows_of_two_sources_only_one_is_read(
    make_run: Callable[..., Run], spark: Any
) -> None:
    run = make_run(*WAYS["direct"])
    fill(run.lake, "one", 40)
    fill(run.lake, "two", 60)
    spark.sql(f"OPTIMIZE {run.lake.identifier(TRADES)}")
    done = transform(run, Inline(), run.lake.version(TRADES))
    assert done.reason.startswith("direct: Ray reads the 1 file of")
    assert same(scores(run), expected(40))


@EACH_WAY
def test_the_same_transform_again_commits_nothing(project: Any, way: str) -> None:
    make, _, version = project
    run = make(*WAYS[way])
    assert transform(run, Inline(), version).commit.changed
    assert not transform(run, Inline(), version).commit.changed
    clear(run)


def test_few_bytes_go_small_many_go_direct_and_the_reason_says_so(project: Any) -> None:
    make, _, version = project
    with handed_over(make().lake, picked(version), make().settings) as small:
        assert small.reason.startswith("small: 100 rows, about 0.0 MB; up to 64")
        assert small.source is not None
    wide = Selection(TRADES, version, "one", TRADES.column_names)
    with handed_over(make().lake, wide, too_small_for(make, wide)) as direct:
        assert direct.reason == f"direct: Ray reads the 3 files of version {version} directly"
        assert direct.source is None


def test_spark_logic_goes_through_the_stage_and_only_its_rows_arrive(project: Any) -> None:
    make, _, version = project
    run = make(*WAYS["staged"])
    narrow = few
    assert transform(run, Inline(), version, narrow=narrow).rows == 10
    assert same(scores(run), expected(100).filter(BELOW_TEN))
    clear(run)
    with pytest.raises(PortfolioError, match=r"^hand_off.way is direct, but .* has Spark logic on top of it"):
        transform(make(*WAYS["direct"]), Inline(), version, narrow=narrow)


@pytest.mark.parametrize(
    ("property_", "feature"),
    [
        ("delta.enableDeletionVectors' = 'true", "deletion vectors"),
        pytest.param("delta.columnMapping.mode' = 'name", "column mapping", marks=pytest.mark.nightly),
    ],
)
def test_a_table_that_says_more_than_its_files_is_staged(
    make_run: Callable[..., Run], spark: Any, property_: str, feature: str
) -> None:
    run = make_run(*WAYS["direct"])
    fill(run.lake, "one", 100)
    name = run.lake.identifier(TRADES)
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('{property_}')")
    spark.sql(f"DELETE FROM {name} WHERE number >= 90")
    version = run.lake.version(TRADES)
    with pytest.raises(PortfolioError, match=rf"silver.trades has {feature}; set it to auto") as refused:
        transform(run, Inline(), version)
    assert "\n" not in str(refused.value)
    wide = Selection(TRADES, version, "one", TRADES.column_names)
    with handed_over(run.lake, wide, too_small_for(make_run, wide)) as handed:
        assert handed.reason == f"staged: silver.trades has {feature}"
        assert sum(done.rows_in for done in handed.map(as_fan_out(Inline()), len)) == 90
    staged = make_run(*WAYS["staged"])
    assert transform(staged, Inline(), version).rows == 90
    assert same(scores(staged), expected(90))


def test_rows_come_here_as_spark_would_bring_them_or_not_at_all(
    make_run: Callable[..., Run], spark: Any
) -> None:
    run = make_run()
    fill(run.lake, ODD_SCOPE, 20)
    version = fill(run.lake, "one", 100)
    names = TRADES.column_names
    for scope, rows in (("one", 100), (ODD_SCOPE, 20), ("nobody's", 0)):
        read = rows_here(run.lake, Selection(TRADES, version, scope, names), {})
        told = run.lake.read(TRADES, scope, version).toArrow()
        assert read is not None
        assert (read.num_rows, read.schema.names) == (rows, told.schema.names)
        assert read.sort_by("number").to_pylist() == told.sort_by("number").to_pylist()
    some = rows_here(run.lake, Selection(TRADES, version, "one", names), {"number": [3, 7, 1000]})
    assert some is not None
    assert sorted(some.column("number").to_pylist()) == [3, 7]
    spark.sql(
        f"ALTER TABLE {run.lake.identifier(TRADES)}"
        " SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
    )
    assert rows_here(run.lake, Selection(TRADES, run.lake.version(TRADES), "one", names), {}) is None


@pytest.mark.nightly
def test_files_with_more_rows_than_the_log_counts_are_not_read_directly(make_run: Callable[..., Run]) -> None:
    run = make_run(*WAYS["direct"])
    version = fill(run.lake, "one", 100)
    folder = run.lake.location(TRADES)
    assert folder is not None
    commit = folder / "_delta_log" / f"{version:020d}.json"
    said = commit.read_text(encoding="utf-8")
    counted = re.search(r'numRecords\\":(\d+)', said)
    assert counted is not None
    fewer = f'numRecords\\":{int(counted[1]) - 1}'
    commit.write_text(said.replace(counted[0], fewer, 1), encoding="utf-8")
    with pytest.raises(PortfolioError, match=r"has 100 rows in its files where its log counts 99"):
        transform(run, Inline(), version)


@EACH_WAY
def test_a_column_younger_than_the_files_is_null(make_run: Callable[..., Run], spark: Any, way: str) -> None:
    run = make_run(*WAYS[way])
    fill(run.lake, "one", 20)
    spark.sql(f"ALTER TABLE {run.lake.identifier(TRADES)} ADD COLUMNS (`late` DOUBLE)")
    late = Column("late", "double", "Added later", nullable=True)
    wider = Table("silver", "trades", "", "source", TRADES.key, (*TRADES.columns, late))
    selection = Selection(wider, run.lake.version(wider), "one", ("late", "number"))
    with handed_over(run.lake, selection, run.settings) as handed:
        rows = pa.concat_tables(done.result for done in handed.map(as_fan_out(Inline()), unchanged))
    assert rows.schema == selection.schema
    assert rows.sort_by("number").to_pydict() == {"late": [None] * 20, "number": list(range(20))}


def test_columns_that_are_not_declared_are_refused() -> None:
    for columns in (("number", "nothing"), ("number", "number"), ()):
        with pytest.raises(ValueError, match=r"not columns of silver.trades, each once"):
            Selection(TRADES, 0, "one", columns)


def test_a_run_records_what_it_read_wrote_and_why_the_rows_went_that_way(
    make_run: Callable[..., Run],
) -> None:
    run = make_run(
        "market_data.source=table", "market_data.table=one", "market_data.name=one", *WAYS["direct"]
    )
    run.fan_out = as_fan_out(Inline())
    run.identify("load", CONSTANT_DAY)
    version = fill(run.lake, run.source, 40)
    with run.stage("score", "Score"):
        commit = run.transform(TRADES, handing.COLUMNS, handing.scored, SCORES, factor=2.0)
    recorded: Any = run.tracker
    assert recorded.stages["score"].tags == {
        "handoff.silver.trades": f"direct: Ray reads the 3 files of version {version} directly"
    }
    assert [(t.direction, t.table.label, t.version, t.rows) for t in run.touches] == [
        ("read", "silver.trades", version, 40),
        ("wrote", "gold.scores", commit.version, 40),
    ]
    rows = run.arrow(SCORES, ("number", "score"))
    assert rows.to_pydict() == expected(40, factor=2.0).select(["number", "score"]).to_pydict()


CONSTANT_DAY = handing.CONSTANTS["as_of"]
BELOW_TEN = pa.compute.field("number") < 10


def unchanged(rows: pa.Table) -> pa.Table:
    return rows


def few(rows: Any) -> Any:
    return rows.where(F.col("number") < 10)


def as_fan_out(inline: Any) -> Any:
    return inline


def picked(version: int) -> Selection:
    return Selection(TRADES, version, "one", handing.COLUMNS)


def too_small_for(make: Callable[..., Run], selection: Selection) -> Any:
    """Return settings that let nothing of this table through the driver."""
    settings = make("hand_off.rows_per_task=30").settings
    # A limit below one megabyte cannot be set, and a table above one would make these tests slow.
    return settings.model_copy(update={"hand_off": settings.hand_off.model_copy(update={"small_mb": 0})})


def clear(run: Run) -> None:
    run.lake.commit(SCORES, SCORES.arrow_schema.empty_table(), handing.CONSTANTS["run_id"])
