"""Notebooks run inside the test process: one Java process serves them all, Ray is started for each run."""

from __future__ import annotations

import io
import os
import runpy
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from portfolio.cli import main
from portfolio.engines.ray_local import local_ray
from workloads.running import PROJECT, Ran, write_prices, written

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
    out, error = io.StringIO(), io.StringIO()
    command = [*arguments, "--project", str(project(home))]
    with using(spark), redirect_stdout(out), redirect_stderr(error):
        code = main(command)
    return Ran(code, out.getvalue(), error.getvalue(), home / "state")


def fingerprints(spark: Any, ran: Ran) -> dict[tuple[str, str], str]:
    """Return the fingerprint of each table that the runs in one home have written, by stage and table."""
    return written(spark, ran.state, schemas(ran.state.parent)["gold"])


def rows(spark: Any, ran: Ran, label: str) -> list[dict[str, Any]]:
    """Return all rows of a table such as gold.returns."""
    layer, name = label.split(".")
    folder = ran.state / "warehouse" / schemas(ran.state.parent)[layer] / name
    return [row.asDict() for row in spark.read.format("delta").load(str(folder)).collect()]


def project(home: Path) -> Path:
    """Return a folder with settings for a small run, which the `portfolio` command understands as well."""
    folder = home / "project"
    if not folder.exists():
        (folder / "conf").mkdir(parents=True)
        prices = write_prices(home / "prices.csv")
        base = BASE.format(prices=prices, state=home / "state", **schemas(home))
        (folder / "conf" / "base.yml").write_text(base, encoding="utf-8")
        (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
    return folder


def schemas(home: Path) -> dict[str, str]:
    """Return the names of the three schemas: all projects of a test process share one catalog."""
    ending = f"{os.getpid()}_{sha256(str(home).encode()).hexdigest()[:8]}"
    return {layer: f"{layer}_{ending}" for layer in ("bronze", "silver", "gold")}


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
