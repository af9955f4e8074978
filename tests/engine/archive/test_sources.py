"""Inputs from outside: files byte by byte, a table of others at the version that was read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from acceleray.archive.sources import keep_sources, local_folder, refuse_undelivered
from acceleray.errors import PortfolioError
from acceleray.runtime.inputs import DELIVERED, Input, file_digest
from acceleray.settings import Settings
from archive.kept_run import files


def test_every_file_of_a_folder_is_kept_under_the_folders_name(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    chosen = settings()
    place = chosen.project_dir / "data" / "daily"
    (place / "old").mkdir(parents=True)
    inputs = []
    for name in ("old/1.csv", "2.csv"):
        (place / name).write_text(name, encoding="utf-8")
        inputs.append(
            Input("folder", "market_data.path", name, "data/daily", None, 1, file_digest(place / name))
        )
    kept = keep_sources(inputs, chosen, tmp_path)
    # The source is called by the name of the folder.
    assert kept == [{"setting": "market_data.path", "file": "sources/market_data.path/daily", "table": None}]
    assert files(tmp_path / kept[0]["file"]) == ["2.csv", "old/1.csv"]


def test_prices_of_a_source_of_the_projects_own_are_kept_or_the_run_is_no_archive() -> None:
    found = Input("file", DELIVERED, "vault-1.parquet", "var/delivered/vault-1.parquet", None, 1, "1")
    for source, inputs in (("csv", []), ("sample", []), ("vault", [found])):
        refuse_undelivered(inputs, source)
    with pytest.raises(PortfolioError, match="What price source 'vault' delivered to the run was not kept"):
        refuse_undelivered([], "vault")


def test_files_of_conf_are_looked_at_and_kept_with_the_project(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    chosen = settings()
    limits = chosen.project_dir / "conf" / "limits.yml"
    limits.write_text("limits: []", encoding="utf-8")
    found = Input("file", "conf", "limits.yml", "conf/limits.yml", None, 1, file_digest(limits))
    assert keep_sources([found], chosen, tmp_path) == []
    limits.write_text("limits: [ ]", encoding="utf-8")
    with pytest.raises(PortfolioError, match=r"conf/limits\.yml .*has changed since the run read it"):
        keep_sources([found], chosen, tmp_path)


def test_a_table_of_others_is_kept_at_the_version_that_was_read(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    chosen = settings()
    folder = chosen.state_dir / "warehouse" / "vendor" / "prices"
    folder.mkdir(parents=True)
    for price in (1.0, 2.0):
        write_deltalake(str(folder), pa.table({"price": [price]}), mode="overwrite")
    found = Input("table", "market_data.table", "", "vendor.prices", 0)
    [kept] = keep_sources([found], chosen, tmp_path)
    assert pq.read_table(tmp_path / kept["file"]).to_pylist() == [{"price": 1.0}]
    assert kept["table"] == "vendor.prices"
    assert local_folder(chosen.state_dir, "a_catalog.vendor.prices") == folder


def test_a_view_and_a_version_that_is_gone_are_refused_in_one_line(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    with pytest.raises(PortfolioError, match="a view, which has no versions"):
        keep_sources([Input("table", "market_data.table", "", "vendor.view")], settings(), tmp_path)
    with pytest.raises(PortfolioError, match=r"Version 7 of vendor\.gone .* cannot be read"):
        keep_sources([Input("table", "market_data.table", "", "vendor.gone", 7)], settings(), tmp_path)
