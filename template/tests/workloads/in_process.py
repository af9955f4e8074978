"""Notebooks run inside the test process: one Java process serves them all, Ray is started for each run."""

from __future__ import annotations

import io
import runpy
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from engines.living import saying
from portfolio.cli import main
from portfolio.engines.ray_local import local_ray
from workloads import other_blocks
from workloads.running import PROJECT, Ran, schemas, table, write_prices, written

# A customer may change conf/ at will; a test's project has its own.
BASE = """
project: {{name: tests, customer: Tests}}
market_data: {{source: csv, path: {prices}, minimum_history_d: 800}}
factors: {{source: none}}
book: {{portfolios: 40}}
spark: {{cores: 2, driver_memory: 1g, shuffle_partitions: 2}}
ray: {{workers: 2, object_store_mb: 128}}
catalog: {{bronze: {bronze}, silver: {silver}, gold: {gold}}}
paths: {{state: {state}}}
"""


def run_notebook(workload: str, home: Path, spark: Any, *settings: str) -> Ran:
    """Run a workload's notebook as a script would, and return what it said and where its state is.

    Prices are real: five instruments over 1250 days. Running again in the same `home` goes on with its state.

    Args:
        workload: its name; the notebook is found by it.
        home: an empty folder, or one an earlier run has used.
        spark: the session of the tests, which is used in place of one of its own.
        settings: more of the form `section.key=value`.
    """
    (notebook,) = (PROJECT / "notebooks").glob(f"*_{workload}.py")
    arguments = [str(notebook), f"project={project(home)}", f"set={shlex.join(settings)}"]
    out, error = io.StringIO(), io.StringIO()
    with using(spark), patch.object(sys, "argv", arguments), redirect_stdout(out), redirect_stderr(error):
        runpy.run_path(str(notebook), run_name="__main__")
    return Ran(0, out.getvalue(), error.getvalue(), home / "state")


def ask(home: Path, spark: Any, *arguments: str) -> Ran:
    """Run a `portfolio` command about an earlier run in one home, such as `lineage gold.returns`."""
    return _said(spark, home / "state", [*arguments, "--project", str(project(home))])


def fingerprints(spark: Any, ran: Ran) -> dict[tuple[str, str], str]:
    """Return the fingerprint of each table that the runs in one home have written, by stage and table."""
    return written(spark, ran.state)


def rows(spark: Any, ran: Ran, label: str) -> list[dict[str, Any]]:
    """Return all rows of a table such as gold.returns."""
    return table(spark, ran.state, label)


def resolves(home: Path, spark: Any, label: str, *settings: str) -> None:
    """Ask for the lineage of one row of a table by its whole key, and compare what is said with the record.

    `settings` are those the run was given, of the form `section.key=value`; its seed is the usual one.
    """
    declared, [record] = find_table(label), table(spark, home / "state", "gold.runs")
    touches = table(spark, home / "state", "gold.run_tables")
    wrote = {one["table_name"]: one["version"] for one in touches if one["direction"] == "wrote"}
    # The row is taken from the version that the run says it wrote; of all keys, the hardest one to write.
    rows = table(spark, home / "state", label, wrote[label])
    keys = [[f"{name}={row[name]}" for name in declared.key] for row in rows]
    said = ask(home, spark, "lineage", label, *max(keys, key=lambda key: (len(str(key)), key)))
    assert said.code == 0, said.error
    lines = said.out.splitlines()
    assert [line for line in lines if line.startswith("Run ")] == [f"Run {record['run_id']}"], label
    facts = {line[2:17].strip(): line[17:] for line in lines if line.startswith("  ") and line[2] != " "}
    [load_id] = {row["load_id"] for row in table(spark, home / "state", "bronze.prices_received")}
    assert (facts["Workload"], facts["Prices"]) == (record["workload"], "csv:prices")
    assert (facts["Load"], facts["Seed"]) == (load_id, "20260101")
    assert facts["Code version"] == code_version()
    assert facts["As of"] == str(record["as_of"])
    assert all(any(setting in line.split() for line in lines) for setting in settings), label
    names = ("stage", "direction", "table_name", "version", "row_count", "fingerprint")
    told = [line.split() for line in lines if line.startswith("    ") and line.split()[1] in ("read", "wrote")]
    assert sorted(told) == sorted([str(one[name]) for name in names if one[name] != ""] for one in touches)
    # Whatever the run made itself, it read in the version that it had made.
    made = [one for one in touches if one["direction"] == "read" and one["table_name"] in wrote]
    assert made
    assert all(one["version"] == wrote[one["table_name"]] for one in made)


def project(home: Path) -> Path:
    """Return a folder with settings for a small run, which the `portfolio` command understands as well."""
    folder = home / "project"
    if not folder.exists():
        (folder / "conf").mkdir(parents=True)
        prices = write_prices(home / "prices.csv")
        base = BASE.format(prices=prices, state=home / "state", **schemas(home))
        (folder / "conf" / "base.yml").write_text(base, encoding="utf-8")
        (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
        for stress in (PROJECT / "conf").glob("stress.yml"):
            shutil.copy(stress, folder / "conf")
    return folder


@contextmanager
def in_other_blocks(spark: Any) -> Iterator[None]:
    """Let runs take other numbers of things at once than everywhere else."""
    partitions = spark.conf.get("spark.sql.shuffle.partitions")
    with ExitStack() as stack:
        for place in other_blocks.others():
            stack.enter_context(patch.object(*place))
        stack.callback(spark.conf.set, "spark.sql.shuffle.partitions", partitions)
        spark.conf.set("spark.sql.shuffle.partitions", int(partitions) + 1)
        yield


@contextmanager
def losing_a_worker() -> Iterator[None]:
    """Kill one Ray worker of this process while it fits; there must have been one."""
    killed, over = list[int](), threading.Event()

    def watch() -> None:
        while not killed and not over.wait(0.05):
            for worker in saying("ray::fit_before")[:1]:
                # A process may end between being listed and being killed.
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
                    killed.append(worker.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert killed


def _said(spark: Any, state: Path, command: list[str]) -> Ran:
    out, error = io.StringIO(), io.StringIO()
    with using(spark), redirect_stdout(out), redirect_stderr(error):
        code = main(command)
    return Ran(code, out.getvalue(), error.getvalue(), state)


@contextmanager
def using(spark: Any) -> Iterator[None]:
    """Let runs of profile local, and commands, use a session that is there; Ray is still their own."""

    def local(settings: Any, stack: ExitStack) -> tuple[Any, Any]:
        return spark, stack.enter_context(local_ray(settings))

    with (
        patch("portfolio.engines.profiles._local", local),
        patch("portfolio.engines.spark.spark_session", lambda settings: nullcontext(spark)),
    ):
        yield
