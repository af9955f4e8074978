"""What tests share: one real Spark session per test process, and runs with tables of their own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from portfolio.settings import Settings, load

_number = itertools.count(1)

BASE = """
project: {name: tests, customer: Tests}
market_data: {minimum_history_d: 3}
spark: {cores: 2, driver_memory: 1g, shuffle_partitions: 2}
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ray: starts a Ray cluster; leave out with -m 'not ray'")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Spark when the first test asks for it; each xdist worker has its own, in its own folder."""
    from portfolio.engines.spark import spark_session

    home = tmp_path_factory.mktemp("spark")
    settings = load_from(home, ())
    with spark_session(settings) as session:
        yield session


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings from overrides such as `market_data.source=csv`.

    All settings of one test share its project folder and its schemas; no other test has the same.
    """
    number = next(_number)
    schemas = [f"catalog.{layer}={layer}_{os.getpid()}_{number}" for layer in ("bronze", "silver", "gold")]
    return lambda *overrides: load_from(tmp_path / "project", (*schemas, *overrides))


@pytest.fixture
def make_run(spark: Any, settings: Callable[..., Settings]) -> Callable[..., Any]:
    """Return a function that makes a run with real Spark and Delta, as a new process would see the tables."""
    from portfolio.engines.lake import Lake
    from portfolio.progress import Reporter
    from portfolio.run import Run

    def make(*overrides: str) -> Run:
        chosen = settings(*overrides)
        return Run(chosen, Lake(spark, chosen), NoFanOut(), RecordingTracker(), Reporter(quiet=True))  # type: ignore[arg-type]

    return make


def load_from(project_dir: Path, overrides: tuple[str, ...]) -> Settings:
    """Return settings of a project folder, which gets a minimal conf/ if it has none."""
    conf = project_dir / "conf"
    if not conf.is_dir():
        conf.mkdir(parents=True)
        (conf / "base.yml").write_text(BASE, encoding="utf-8")
        (conf / "local.yml").write_text("profile: local\n", encoding="utf-8")
    return load(project_dir, overrides=overrides)


class NoFanOut:
    """Stands where Ray would, in tests of stages that do not use it."""

    def map(self, *arguments: Any, **named: Any) -> Iterator[Any]:
        raise AssertionError("this stage was not expected to use Ray")


class RecordingTracker:
    """Stands where MLflow would, and keeps what it was told."""

    def __init__(self) -> None:
        self.records: list[RecordingTracker] = []
        self.tables: list[tuple[str, str, int, int]] = []
        self.metrics: dict[str, float] = {}
        self.tags: dict[str, str] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[RecordingTracker]:
        self.records.append(RecordingTracker())
        yield self.records[-1]

    def table(self, direction: str, label: str, version: int, rows: int) -> None:
        self.tables.append((direction, label, version, rows))

    def measure(self, metrics: Mapping[str, float]) -> None:
        self.metrics |= metrics

    def describe(self, tags: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        self.tags |= tags
