"""All settings: the sections of one frozen object, their defaults and their limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from acceleray.settings.archive import Archive
from acceleray.settings.backtest import Backtest
from acceleray.settings.book import Book, Fx
from acceleray.settings.desk import Limits, Liquidity, Pnl
from acceleray.settings.market_data import MarketData
from acceleray.settings.section import ClosedShare, Drift, Generator, JavaMemory, PositiveInt, Section, Share
from acceleray.settings.signal import Features, Leakage, Model, Score, Signals, Train, Tune


class Project(Section):
    """Owner of the project."""

    name: str
    customer: str
    experiment: str = ""


class Catalog(Section):
    """Where tables live: one catalog, three schemas (bronze, silver, gold)."""

    name: str = "spark_catalog"
    bronze: str = "bronze"
    silver: str = "silver"
    gold: str = "gold"


PRICE_SOURCES = ("sample", "csv", "table", "simulated")
"""The price sources of the engine."""


class Universe(Section):
    """The simulated universe of source `simulated`: its size, and the strength of the signal planted in it.

    Each log price holds a transient part that fades with `half_life_d`; `transient_share` is its share of the
    variance of an instrument's own one-day returns. Zero plants nothing.
    """

    instruments: Annotated[int, Field(ge=3, le=1_000_000)] = 500
    days: Annotated[int, Field(ge=300, le=20_000)] = 2520
    transient_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    half_life_d: Annotated[float, Field(gt=0.0)] = 10.0


class Calibration(Section):
    """Fits of GJR-GARCH-t models, their schedule, and the gate they must pass.

    `minimum_history_d` counts returns. A fit sees the last `window_d` days. From day `first_fit_d` on, every
    instrument is fitted again every `refit_every_d` days, each time on the past alone. A fit has drifted if
    its volatility forecast differs from that of the scheduled fit before it by a factor above
    exp(`drifted_above`) on the same returns. `optimiser` is Newton's method in machine code, or that of arch.
    """

    optimiser: Literal["compiled", "arch"] = "compiled"
    minimum_history_d: PositiveInt = 500
    window_d: PositiveInt = 2500
    first_fit_d: PositiveInt = 1000
    refit_every_d: PositiveInt = 250
    minimum_converged_share: ClosedShare = 0.9
    maximum_at_bound_share: ClosedShare = 0.5
    drifted_above: Annotated[float, Field(gt=0.0)] = 0.25
    maximum_drifted_share: ClosedShare = 0.25


class Factors(Section):
    """Where factor levels come from: `sample` (shipped with skfolio and arch), a wide `csv`, or `none`.

    `points` names the factors that are measured in percentage points; the others are levels above zero.
    `monthly_means` names those of a file whose levels are means of a month, which are compared with means of
    the others. Betas and covariances are of monthly changes and need `minimum_months` of them. A factor whose
    last level is more than `stale_after_m` calendar months before the as-of date has ended.
    """

    source: Literal["sample", "csv", "none"] = "sample"
    path: str = ""
    points: tuple[str, ...] = ("credit",)
    monthly_means: tuple[str, ...] = ()
    minimum_months: Annotated[int, Field(ge=24)] = 36
    stale_after_m: PositiveInt = 3


class Simulation(Section):
    """Scenarios; horizons and residual window in trading days, which the backtest takes too, and `drift`.

    `generator` makes the scenarios of the t copula: `tables` reads normals and margins from tables, from the
    same random numbers and within 1e-9 of each return. A backtest of the t copula always has `standard`.
    """

    scenarios: PositiveInt = 100_000
    horizons_d: tuple[PositiveInt, ...] = (1, 10)
    residual_window_d: PositiveInt = 2000
    drift: Drift = "fitted"
    generator: Generator = "standard"


class Risk(Section):
    """Confidence levels of the headline measures."""

    var_confidence: Share = 0.99
    es_confidence: Share = 0.975


class Stress(Section):
    """Stress testing: the file in conf/ with its definitions, and how many scenarios are simulated."""

    definitions: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.yml$")] = "stress.yml"
    scenarios: PositiveInt = 1_000_000


class WhatIf(Section):
    """Scenarios that stay in memory for `portfolio what-if`, and what one question may ask.

    `memory_mb` is what they may take in Ray's object store, 0 for 40 % of this machine's free memory. They
    are kept in `double` precision where they all fit, else in `single`, which moves VaR and expected
    shortfall by less than a millionth; else there are fewer.
    """

    scenarios: Annotated[int, Field(ge=10_000)] = 1_000_000
    memory_mb: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "double", "single"] = "auto"
    maximum_trades: PositiveInt = 20
    maximum_hedges: PositiveInt = 20


class Spark(Section):
    """Spark sizing; `cores` is for Spark in one process on this machine, 0 for all of its cores.

    `remote` is where profile `connect` finds Spark; see `acceleray.settings.topology`.
    `java_compiler` is for engines on this machine: `quick` takes a quarter off a short run, `full` pays where
    Spark itself computes for minutes.
    """

    cores: Annotated[int, Field(ge=0)] = 0
    driver_memory: JavaMemory = "1g"
    java_compiler: Literal["quick", "full"] = "quick"
    shuffle_partitions: PositiveInt = 2
    remote: Annotated[str, Field(pattern=r"^(|databricks|sc://[^\s/,]+(/[^\s]*)?)$")] = ""


class Cluster(Section):
    """The Spark cluster of profile `cluster`: the one at `master`, or one started on this machine."""

    master: Annotated[str, Field(pattern=r"^(spark://[^\s,]+)?$")] = ""
    workers: PositiveInt = 2
    cores_per_worker: PositiveInt = 3
    executor_memory: JavaMemory = "1g"


class Ray(Section):
    """Ray sizing: `workers` CPUs in profile local (0: all), elsewhere `nodes` of `cpus_per_node` in Spark.

    `nodes` 0 is one for each Spark executor. Object store and memory count for each Ray node, and so do GPUs,
    which a run asks for only where `model.device` is cuda.
    """

    workers: Annotated[int, Field(ge=0)] = 0
    nodes: Annotated[int, Field(ge=0)] = 0
    cpus_per_node: PositiveInt = 1
    gpus_per_node: PositiveInt = 1
    node_memory_mb: Annotated[int, Field(ge=256)] = 1024
    object_store_mb: Annotated[int, Field(ge=80)] = 256
    task_timeout_s: PositiveInt = 900


class HandOff(Section):
    """How rows go from Spark to Ray: `auto` chooses; below `small_mb` they go through the driver."""

    way: Literal["auto", "small", "direct", "staged"] = "auto"
    small_mb: PositiveInt = 64
    rows_per_task: PositiveInt = 250_000
    stage_codec: Literal["uncompressed", "snappy", "lz4_raw", "zstd"] = "uncompressed"


class Maintenance(Section):
    """When a table's files are put together, and how long files stay that only older versions need.

    Delta's log reaches back 30 days, so no version could be kept for longer. Kept work that no run took for
    `keep_work_d` days is removed.
    """

    optimize_above_files: PositiveInt = 50
    vacuum_after_h: Annotated[int, Field(ge=0, le=720)] = 168
    keep_work_d: Annotated[int, Field(ge=2)] = 400


class Paths(Section):
    """Where a run keeps its state (in the project), what lies in the state, and what is fetched once.

    Every Spark executor and Ray node must see the state and stage folders under the same path; the machine's
    own folder is the driver's alone and needs files that can be locked and written at any place. `maven` is
    where the Delta jars come from: a mirror's address or a folder laid out like one, empty for Maven Central.
    """

    state: Path = Path("var")
    stage: Path = Path("stage")
    machine: Path = Path(".")
    cache: Path = Path("~/.cache/portfolio")
    maven: str = ""


class Settings(Section):
    """Everything a run depends on."""

    project: Project
    environment: str = "local"
    profile: Literal["local", "cluster", "databricks", "connect"] = "local"
    project_dir: Path = Path()
    as_of: date | None = None
    anew: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 20_260_101
    catalog: Catalog = Catalog()
    market_data: MarketData = MarketData()
    universe: Universe = Universe()
    factors: Factors = Factors()
    calibration: Calibration = Calibration()
    features: Features = Features()
    model: Model = Model()
    tune: Tune = Tune()
    train: Train = Train()
    leakage: Leakage = Leakage()
    score: Score = Score()
    signals: Signals = Signals()
    simulation: Simulation = Simulation()
    risk: Risk = Risk()
    book: Book = Book()
    fx: Fx = Fx()
    liquidity: Liquidity = Liquidity()
    stress: Stress = Stress()
    limits: Limits = Limits()
    backtest: Backtest = Backtest()
    pnl: Pnl = Pnl()
    what_if: WhatIf = WhatIf()
    spark: Spark = Spark()
    cluster: Cluster = Cluster()
    ray: Ray = Ray()
    hand_off: HandOff = HandOff()
    maintenance: Maintenance = Maintenance()
    archive: Archive = Archive()
    paths: Paths = Paths()

    @field_validator("project_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.resolve()

    @property
    def state_dir(self) -> Path:
        """Return the absolute folder of everything a run writes."""
        return self.project_dir / self.paths.state

    @property
    def stage_dir(self) -> Path:
        """Return the absolute folder of rows on their way between Spark and Ray."""
        return self.state_dir / self.paths.stage

    @property
    def machine_dir(self) -> Path:
        """Return the absolute folder of what is this machine's alone: the lock, a model from the registry."""
        return self.state_dir / self.paths.machine

    @property
    def cache_dir(self) -> Path:
        """Return the absolute folder of things fetched once: the Delta jars, a Java runtime."""
        return self.project_dir / self.paths.cache.expanduser()

    @property
    def archive_dir(self) -> Path:
        """Return the absolute folder of archived runs."""
        return self.state_dir / self.archive.path.expanduser()

    def on_cpu(self) -> Settings:
        """Return the settings of a run that fits no signal model, and so needs no GPU whatever they say."""
        model = self.model.model_copy(update={"device": "cpu"})
        return self.model_copy(update={"model": model})

    def numbers(self) -> dict[str, Any]:
        """Return only the settings that decide numbers; sizing, paths and names of places are left out."""
        places = {"anew", "environment", "profile", "project_dir", "project", "catalog", "paths"}
        # Actual P&L changes no number, and no run computes with `what_if`: it asks about what one has left.
        places |= {"spark", "cluster", "ray", "hand_off", "maintenance", "archive", "pnl", "what_if"}
        kept = self.model_dump(mode="json", exclude=places)
        # Corrections are part of the load; findings change no number.
        for place in ("path", "table", "delivered", "corrections", "on_findings"):
            kept["market_data"].pop(place)
        kept["factors"].pop("path")
        # The content of book files is part of the identity of a run.
        paths = ("path", "portfolios_path", "instruments_path")
        for place in (*paths, "table", "portfolios_table", "instruments_table"):
            kept["book"].pop(place)
        return kept
