"""Notebooks run inside the test process: one Java process serves them all, Ray is started for each run."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from acceleray.cli import main
from acceleray.cli.reading import find_table
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.kept_states import KeptStates, Stream
from acceleray.engines.ray.local import local_ray
from acceleray.testing.small import run_as_script
from portfolio import PROJECT
from rendered import TEMPLATE
from workloads import other_blocks
from workloads.running import Ran, commits, schemas, table, write_prices, written

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
    (notebook,) = (TEMPLATE / "notebooks").glob(f"*_{workload}.py")
    arguments = [
        str(notebook),
        f"project={project(home)}",
        f"set={shlex.join(settings)}",
    ]
    out, error = io.StringIO(), io.StringIO()
    with using(spark), patch.object(sys, "argv", arguments), redirect_stdout(out), redirect_stderr(error):
        run_as_script(notebook)
    return Ran(0, out.getvalue(), error.getvalue(), home / "state")


def run_recipe(workload: str, home: Path, spark: Any, *settings: str) -> Ran:
    """Run a workload as the command does, in the state that `run_notebook` uses too."""
    return ask(home, spark, "run", workload, *(part for one in settings for part in ("--set", one)))


def ask(home: Path, spark: Any, *arguments: str) -> Ran:
    """Run a `portfolio` command about an earlier run in one home, such as `lineage gold.returns`."""
    return _said(spark, home / "state", [*arguments, "--project", str(project(home))])


def refused(home: Path, spark: Any, workload: str, *settings: str) -> tuple[str, set[str]]:
    """Run a workload that must refuse to go on; return the one line that it ends with, and what it wrote."""
    before = commits(home / "state")
    said = ask(home, spark, "run", workload, *(part for setting in settings for part in ("--set", setting)))
    assert (said.code, said.out) == (2, "")
    [line] = [line for line in said.error.splitlines() if line.startswith("Error: ")]
    assert said.error.endswith(f"{line}\n")
    new = set(commits(home / "state")) - set(before)
    return line, {Path(path).parents[1].name for path in new}


def fingerprints(spark: Any, ran: Ran) -> dict[tuple[str, str], str]:
    """Return the fingerprint of each table that the runs in one home have written, by stage and table."""
    return written(spark, ran.state)


def rows(spark: Any, ran: Ran, label: str) -> list[dict[str, Any]]:
    """Return all rows of a table such as gold.returns."""
    return table(spark, ran.state, label)


def resolve(home: Path, spark: Any, labels: Iterable[str], *settings: str) -> None:
    """Ask for the lineage of one row of each table by its whole key; what is said must be its run's record.

    `settings` are those that the first run in this home was given, of the form `section.key=value`.
    """
    state = home / "state"
    record = min(table(spark, state, "gold.runs"), key=lambda row: row["finished_at"])
    [load_id] = {row["load_id"] for row in table(spark, state, "bronze.prices_received")}
    facts = {
        "Workload": record["workload"],
        "As of": str(record["as_of"]),
        "Prices": "csv:prices",
        "Load": load_id,
        "Seed": "20260101",
        "Code version": f"{PROJECT.code_version()}  (the current code is the same)",
    }
    all_touches = table(spark, state, "gold.run_tables")
    touches = [one for one in all_touches if one["run_id"] == record["run_id"]]
    wrote = {one["table_name"]: one["version"] for one in touches if one["direction"] == "wrote"}
    # Whatever the run made itself, it read in the version that it had made.
    own = [one for one in touches if one["direction"] == "read" and one["table_name"] in wrote]
    assert own
    assert all(one["version"] == wrote[one["table_name"]] for one in own)
    names = ("stage", "direction", "table_name", "version", "row_count", "fingerprint")
    versions = sorted([str(one[name]) for name in names if one[name] != ""] for one in touches)
    for label in labels:
        # A row of the version that the run says it wrote, and of all rows the one with the longest key.
        rows, key = table(spark, state, label, wrote[label]), find_table(label, PROJECT).key
        if not rows:
            # Such as the factors that ended, of which the sample has none.
            continue
        asked = max(([f"{name}={row[name]}" for name in key] for row in rows), key=lambda one: len(str(one)))
        said = ask(home, spark, "lineage", label, *asked)
        assert said.code == 0, (label, said.error)
        lines = said.out.splitlines()
        if find_table(label, PROJECT).scope == "source":
            # Rows of a source belong to its load, with which every run that read it worked.
            assert lines[:2] == [f"Load {load_id}", "  Source         csv:prices"], label
            assert any(record["run_id"] in line for line in lines), label
            continue
        assert [line for line in lines if not line.startswith(" ")] == [f"Run {record['run_id']}"], label
        for name, value in facts.items():
            assert f"  {name:<15}{value}" in lines, label
        words = [line.split() for line in lines]
        assert set(settings) <= {word for line in words for word in line}, label
        assert sorted(line for line in words if line[1:2] in (["read"], ["wrote"])) == versions, label


def project(home: Path) -> Path:
    """Return a folder with settings for a small run, which the `portfolio` command understands as well."""
    folder = home / "project"
    if not folder.exists():
        (folder / "conf").mkdir(parents=True)
        prices = write_prices(home / "prices.csv")
        base = BASE.format(prices=prices, state=home / "state", **schemas(home))
        (folder / "conf" / "base.yml").write_text(base, encoding="utf-8")
        (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
        for stress in (TEMPLATE / "conf").glob("stress.yml"):
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
def losing_workers(home: Path, *functions: str) -> Iterator[None]:
    """Kill one Ray worker in each of these functions, with its first result in its hands; each must be run.

    What works on a task of a small run is over before anybody could look for its process and kill it.
    """
    map_all, folder = FanOut.map, home / "killed"
    folder.mkdir()

    def mapped(self: FanOut, function: Callable[..., Any], *given: Any, **named: Any) -> Iterator[Any]:
        marker = folder / function.__name__
        if function.__name__ in functions and not marker.exists():
            function = _fatal(function, marker)
        return map_all(self, function, *given, **named)

    go_through = KeptStates.through

    def through(self: KeptStates, stream: Stream, *given: Any) -> list[Any]:
        marker = folder / stream.take.__name__
        if stream.take.__name__ in functions and not marker.exists():
            stream = replace(stream, take=_fatal(stream.take, marker))
        return go_through(self, stream, *given)

    with patch.object(FanOut, "map", mapped), patch.object(KeptStates, "through", through):
        yield
    unharmed = set(functions) - {path.name for path in folder.iterdir()}
    assert not unharmed, f"never run: {sorted(unharmed)}"


def _fatal(function: Callable[..., Any], marker: Path) -> Callable[..., Any]:
    """Return a function that, the first time anywhere, ends its process with SIGKILL instead of returning."""
    # Ray's workers cannot import this module; a function made inside another one is taken to them whole.

    def fatal(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        with suppress(FileExistsError):
            marker.touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    fatal.__name__ = function.__name__
    return fatal


def _said(spark: Any, state: Path, command: list[str]) -> Ran:
    out, error = io.StringIO(), io.StringIO()
    with using(spark), redirect_stdout(out), redirect_stderr(error):
        code = main(PROJECT, command)
    return Ran(code, out.getvalue(), error.getvalue(), state)


@contextmanager
def using(spark: Any) -> Iterator[None]:
    """Let runs of profile local, and commands, use a session that is there; Ray is still their own."""

    def local(settings: Any, stack: ExitStack) -> tuple[Any, Any]:
        return spark, stack.enter_context(local_ray(settings))

    with (
        patch("acceleray.engines.profiles._local", local),
        patch("acceleray.engines.spark.session.spark_session", lambda settings: nullcontext(spark)),
    ):
        yield
