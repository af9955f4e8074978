"""What tests share: one real Spark session per test process, and projects with tables of their own."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from acceleray.settings import Settings, load
from rendered import TESTS, python_path

if TYPE_CHECKING:
    # Pure tests start without loading Spark and Ray.
    from acceleray.engines.ray.fanout import FanOut
    from acceleray.runtime.run import Run
    from one_ray import OneRay

BASE = """
project: {name: tests, customer: Tests}
market_data: {minimum_history_d: 3}
spark: {cores: 2, driver_memory: 1g, shuffle_partitions: 2}
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--interpreted", action="store_true", help="Let Spark interpret what it otherwise compiles."
    )


def pytest_configure(config: pytest.Config) -> None:
    # As fuzzing.py reads it: only tests that need hypothesis load it.
    os.environ["TESTS_ARE_QUICK"] = "1" if "not nightly" in config.getoption("-m") else ""
    # Processes that tests start find the same engine and recipes, and this folder's helpers.
    os.environ["PYTHONPATH"] = os.pathsep.join([python_path(), str(TESTS)])
    # A shell starts what it runs in the background with Ctrl-C ignored, nohup what it runs with a hang-up
    # ignored, and every child inherits that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    uses_ray = set()
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
        if item.get_closest_marker("ray"):
            uses_ray.add(item.path)
    # Ray takes a share of the processors as soon as it is there, so files without it come first, each whole.
    items.sort(key=lambda item: item.path in uses_ray)


@pytest.fixture(scope="session")
def new_settings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Callable[..., Settings]]:
    """Return a function that makes a project: a function from overrides to settings.

    A project has its own folder and its own schemas, because all projects of a test process share a session.
    """
    numbers = itertools.count(1)

    def project() -> Callable[..., Settings]:
        folder = tmp_path_factory.mktemp("project")
        (folder / "conf").mkdir()
        (folder / "conf" / "base.yml").write_text(BASE, encoding="utf-8")
        (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
        ending = f"{os.getpid()}_{next(numbers)}"
        schemas = [f"catalog.{layer}={layer}_{ending}" for layer in ("bronze", "silver", "gold")]
        return lambda *overrides: load(folder, overrides=(*schemas, *overrides))

    return project


@pytest.fixture(scope="session")
def spark(new_settings: Callable[[], Callable[..., Settings]], pytestconfig: pytest.Config) -> Iterator[Any]:
    """Start Spark when the first test asks for it; each xdist worker has its own, in its own folder."""
    from acceleray.engines.spark.session import spark_session
    from acceleray.testing.small import interpret

    with spark_session(new_settings()()) as session:
        if pytestconfig.getoption("--interpreted"):
            interpret(session)
        yield session


@pytest.fixture(scope="session")
def new_project(
    spark: Any, new_settings: Callable[[], Callable[..., Settings]]
) -> Callable[[], Callable[..., Run]]:
    """Return a function that makes a project: a function from overrides to a run in a new process's eyes."""
    from acceleray.engines.delta.lake import Lake
    from acceleray.runtime.progress import Reporter
    from acceleray.runtime.run import Run

    def project() -> Callable[..., Run]:
        settings = new_settings()

        def run(*overrides: str) -> Run:
            chosen = settings(*overrides)
            tracker: Any = RecordingTracker()
            fan_out: Any = NoFanOut()
            return Run(chosen, Lake(spark, chosen), fan_out, tracker, Reporter(quiet=True))

        return run

    return project


@pytest.fixture
def settings(new_settings: Callable[[], Callable[..., Settings]]) -> Callable[..., Settings]:
    """Return a function from overrides such as `market_data.source=csv` to settings of one new project."""
    return new_settings()


@pytest.fixture
def make_run(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    """Return a function from overrides to a run with real Spark and Delta, in one new project."""
    return new_project()


@pytest.fixture(scope="session")
def one_ray() -> Iterator[OneRay]:
    """Return the Ray that tests of this process share."""
    from one_ray import OneRay

    shared = OneRay()
    yield shared
    shared.stop()


@pytest.fixture
def fan_out(one_ray: OneRay) -> FanOut:
    """Return a fan-out over two workers of the Ray that tests share."""
    return one_ray.fan_out()


@pytest.fixture
def no_ray(one_ray: OneRay) -> None:
    """Stop the Ray that tests share, for a test that starts one of its own in this process."""
    one_ray.stop()


class NoFanOut:
    """Stands where Ray would, in tests of stages that do not use it."""

    def map(self, *arguments: Any, **named: Any) -> Iterator[Any]:
        raise AssertionError("this stage was not expected to use Ray")


class RecordingTracker:
    """Stands where MLflow would, and keeps what it was told."""

    def __init__(self) -> None:
        self.stages: dict[str, RecordingTracker] = {}
        self.tables: list[tuple[str, str, int, int]] = []
        self.metrics: dict[str, float] = {}
        self.tags: dict[str, str] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[RecordingTracker]:
        self.stages[name] = RecordingTracker()
        yield self.stages[name]

    def table(self, direction: str, label: str, version: int, rows: int) -> None:
        self.tables.append((direction, label, version, rows))

    def note(self, name: str, text: str) -> None:
        self.tags[name] = text

    def measure(self, metrics: Mapping[str, float]) -> None:
        self.metrics |= metrics

    def describe(self, tags: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        self.tags |= tags
