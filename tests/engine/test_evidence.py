"""What a run leaves behind about itself."""

from collections.abc import Callable
from datetime import date
from hashlib import sha256

import pyarrow as pa

from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.tables import PORTFOLIOS, RUN_INPUTS, RUN_TABLES, RUNS


def attempt(make_run: Callable[..., Run]) -> Run:
    """Return a run that has committed one table and not yet recorded its evidence."""
    run = make_run()
    run.tracker.run_id = "mlflow"
    run.identify("load", date(2024, 1, 2))
    row = {"portfolio_id": "P", "name": "P", "origin": "reference", "nav": 1.0, "currency": "USD"}
    own = pa.schema([field for field in PORTFOLIOS.arrow_schema if field.name not in ("run_id", "as_of")])
    run.commit(PORTFOLIOS, pa.Table.from_pylist([row], schema=own))
    return run


def test_a_run_killed_between_its_two_evidence_commits_is_completed_by_the_next_one(
    make_run: Callable[..., Run],
) -> None:
    first = attempt(make_run)
    record(first, "models:/a/1")
    versions = [first.lake.version(table) for table in (RUN_TABLES, RUNS)]
    again = attempt(make_run)
    record(again, "models:/a/1")
    assert [again.lake.version(table) for table in (RUN_TABLES, RUNS)] == versions
    again.lake.spark.sql(f"DELETE FROM {again.lake.identifier(RUNS)}")
    last = attempt(make_run)
    record(last, "models:/a/1")
    assert [row["model_uri"] for row in last.lake.read(RUNS).collect()] == ["models:/a/1"]
    assert last.lake.read(RUN_TABLES).count() == 1


def test_a_run_records_the_files_it_was_given_and_the_rows_of_other_runs_that_it_read(
    make_run: Callable[..., Run],
) -> None:
    record(attempt(make_run), "models:/a/1")
    folder = make_run().settings.project_dir
    (folder / "data").mkdir()
    (folder / "data" / "one.csv").write_bytes(b"1")
    (folder / "conf" / "limits.yml").write_bytes(b"limits: []")
    run = make_run("market_data.source=csv", "market_data.path=data", "seed=2")
    run.tracker.run_id = "mlflow"
    run.identify("load", date(2024, 1, 3))
    run.lake.read(RUNS).collect()
    run.lake.rows(PORTFOLIOS, "another")
    run.lake.read(PORTFOLIOS, run.identity.run_id).collect()
    record(run, "models:/a/1")
    found = {(row["kind"], row["name"], row["part"]): row for row in run.rows(RUN_INPUTS).to_pylist()}
    assert set(found) == {
        ("file", "conf", "limits.yml"),
        ("folder", "market_data.path", "one.csv"),
        ("history", "gold.runs", ""),
        ("history", "gold.portfolios", "another"),
    }
    file = found["folder", "market_data.path", "one.csv"]
    assert (file["path"], file["bytes"], file["sha256"]) == ("data", 1, sha256(b"1").hexdigest())
    assert found["history", "gold.runs", ""]["version"] == run.version(RUNS) - 1
