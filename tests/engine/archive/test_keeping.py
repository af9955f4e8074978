"""A run is archived whole or not at all, and nothing but what it was is archived."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from acceleray.archive import keeping
from acceleray.archive.keeping import archive
from acceleray.archive.manifest import verified
from acceleray.engines.delta.log import table_folder
from acceleray.engines.processes.lock import run_lock
from acceleray.errors import PortfolioError
from acceleray.runtime.code_identity import ENGINE, source_digest
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings
from acceleray.tables import RISK_DAYS, RUNS
from archive.kept_run import DAY, RUN, SOURCE, files, finished, risk_day, settings_of, write
from portfolio import PROJECT

QUIET = Reporter(quiet=True)


@pytest.fixture
def ended(settings: Callable[..., Settings]) -> Settings:
    """Return the settings of a project in which a run has ended."""
    chosen = settings_of(settings)
    finished(chosen)
    return chosen


def refused(settings: Settings, run_id: str = RUN) -> str:
    with pytest.raises(PortfolioError) as error:
        archive(PROJECT, settings, run_id, QUIET)
    assert not settings.archive_dir.exists() or not list(settings.archive_dir.iterdir())
    return str(error.value)


def test_an_archive_has_the_rows_of_the_run_and_no_others(ended: Settings) -> None:
    done = archive(PROJECT, ended, RUN, QUIET)
    content, sealed = verified(done.folder)
    assert (done.new, done.seal, done.folder) == (True, sealed, ended.archive_dir / RUN)
    entries = {(one["role"], one["table"]["name"]): one for one in content["tables"]}
    books = entries["wrote", "portfolios"]
    assert (books["rows"], books["version"], books["scope"]) == (2, 2, RUN)
    rows = pq.read_table(done.folder / books["file"]).to_pylist()
    assert [(row["portfolio_id"], row["nav"]) for row in rows] == [("A", 1.0), ("B", 2.0)]
    earlier = pq.read_table(done.folder / entries["history", "portfolios"]["file"])
    assert sorted(earlier["nav"].to_pylist()) == [0.5, 1.0, 2.0]
    assert ("evidence", "runs") in entries


def test_an_archive_has_the_code_as_its_digests_know_it_and_no_secret(ended: Settings) -> None:
    (ended.project_dir / "conf" / ".env").write_text("PASSWORD=x", encoding="utf-8")
    (ended.project_dir / "conf" / "token.txt").write_text("x", encoding="utf-8")
    folder = archive(PROJECT, ended, RUN, QUIET).folder
    copied = folder / "project"
    assert source_digest(copied / "engine" / "acceleray") == source_digest(ENGINE)
    assert source_digest(copied / "src" / "portfolio") == source_digest(PROJECT.folder)
    assert files(copied / "conf") == ["base.yml", "local.yml"]
    assert (copied / "engine" / "requirements.lock").is_file()
    assert (folder / "sources" / "market_data.path" / "prices.csv").is_file()


def test_archiving_twice_changes_nothing(ended: Settings) -> None:
    first = archive(PROJECT, ended, RUN, QUIET)
    times = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    # A run that is archived needs nothing of what it needed to be.
    shutil.rmtree(ended.state_dir / "warehouse")
    again = archive(PROJECT, ended, RUN, QUIET)
    assert (again.new, again.seal, again.tables) == (False, first.seal, first.tables)
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == times


def test_an_archive_that_stops_half_way_leaves_nothing_and_the_next_one_is_whole(ended: Settings) -> None:
    with patch.object(keeping, "seal", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        archive(PROJECT, ended, RUN, QUIET)
    assert list(ended.archive_dir.iterdir()) == []
    # Killed, it could not tidy up.
    left = ended.archive_dir / f".{RUN}.1.part"
    left.mkdir()
    verified(archive(PROJECT, ended, RUN, QUIET).folder)
    assert not left.exists()


def test_a_damaged_archive_is_said_and_not_written_over(ended: Settings) -> None:
    folder = archive(PROJECT, ended, RUN, QUIET).folder
    (folder / "sources" / "market_data.path" / "prices.csv").write_text("date,A\n", encoding="utf-8")
    with pytest.raises(
        PortfolioError, match=r"sources/market_data.path/prices.csv has changed since it was archived"
    ):
        archive(PROJECT, ended, RUN, QUIET)


def test_a_version_whose_files_were_vacuumed_is_said_with_what_to_do(ended: Settings) -> None:
    folder = table_folder(ended, RISK_DAYS)
    write(ended, RISK_DAYS, [risk_day(date(2022, 12, 29), 4)], SOURCE)
    for path in sorted(folder.glob("*.parquet"), key=lambda one: one.stat().st_mtime)[:-1]:
        path.unlink()
    line = refused(ended)
    assert line.startswith(
        "Version 1 of silver.risk_days is gone: VACUUM removed its files, so run "
        f"{RUN} cannot be archived; run the workload again with --as-of {DAY}"
    )
    assert "\n" not in line


def test_where_a_folder_cannot_be_renamed_it_is_copied(ended: Settings) -> None:
    refusal = OSError(errno.EXDEV, "cross-device link")
    with patch.object(Path, "rename", side_effect=refusal):
        done = archive(PROJECT, ended, RUN, QUIET)
    assert verified(done.folder)[1] == done.seal
    assert [path.name for path in ended.archive_dir.iterdir()] == [RUN]
    with (
        patch.object(Path, "rename", side_effect=refusal),
        patch.object(
            keeping.shutil, "copyfile", side_effect=OSError(errno.ENOSPC, "No space left on device")
        ),
        pytest.raises(OSError, match="No space"),
    ):
        keeping._put_in_place(done.folder, ended.archive_dir / "other")
    assert [path.name for path in ended.archive_dir.iterdir()] == [RUN]


def test_rows_that_lie_in_a_newer_version_as_they_were_are_archived_from_there(ended: Settings) -> None:
    folder = table_folder(ended, RISK_DAYS)
    write(ended, RISK_DAYS, [risk_day(DAY, 5, "another load")], SOURCE)
    [first, _] = sorted(folder.glob("*.parquet"), key=lambda one: one.stat().st_mtime_ns)
    first.unlink()
    content, _ = verified(archive(PROJECT, ended, RUN, QUIET).folder)
    [days] = [one for one in content["tables"] if one["table"]["name"] == "risk_days"]
    assert (days["version"], days["rows"]) == (2, 1)


def test_a_price_file_that_was_replaced_since_is_refused(ended: Settings) -> None:
    prices = ended.project_dir / "prices.csv"
    prices.write_text("date,A\n2022-12-29,1.0\n", encoding="utf-8")
    assert refused(ended).startswith(
        f"{prices} (market_data.path) has changed since the run read it; restore "
    )
    prices.unlink()
    assert "which the run read, is gone" in refused(ended)


def test_other_code_than_the_run_had_is_refused(ended: Settings) -> None:
    with patch("acceleray.runtime.project.engine_digest", lambda: "f" * 16):
        line = refused(ended)
    assert f"and the code here is {'f' * 16}-" in line
    assert "check out the commit of the run" in line


def test_an_unknown_run_and_one_of_no_workload_are_refused(ended: Settings) -> None:
    assert refused(ended, "ffff").startswith("No finished run is called ffff;")
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    rows = DeltaTable(str(table_folder(ended, RUNS))).to_pyarrow_table()
    at = rows.schema.get_field_index("workload")
    renamed = rows.set_column(
        at, "workload", pc.replace_substring(rows["workload"], "risk_stress_testing", "rollback")
    )
    write(ended, RUNS, renamed.to_pylist(), RUN)
    assert "is a rollback, which is not a workload" in refused(ended)


def test_a_run_at_work_is_not_disturbed(ended: Settings) -> None:
    with run_lock(ended.machine_dir), pytest.raises(PortfolioError, match="is active in"):
        archive(PROJECT, ended, RUN, QUIET)


def test_another_folder_for_archives_can_be_named(ended: Settings, tmp_path: Path) -> None:
    assert archive(PROJECT, ended, RUN, QUIET, tmp_path / "vault").folder == tmp_path / "vault" / RUN
