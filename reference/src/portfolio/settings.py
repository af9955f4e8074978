"""All settings of a project: one frozen object, read from conf/ and overridable by name.

`conf/base.yml` holds what every environment shares, `conf/<environment>.yml` what differs there, and
`--set section.key=value` what one run wants different. Nothing else in the package reads a file or an
environment variable to decide how it behaves.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from portfolio.errors import PortfolioError

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A group of settings: immutable, and refusing names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Project(Section):
    """Who this project belongs to."""

    name: str
    customer: str


class Catalog(Section):
    """Where tables live: one catalog, three schemas (bronze, silver, gold)."""

    name: str = "spark_catalog"
    bronze: str = "bronze"
    silver: str = "silver"
    gold: str = "gold"


class MarketData(Section):
    """Where prices come from: `sample` (shipped with skfolio), a wide `csv`, or a Delta `table`."""

    source: Literal["sample", "csv", "table"] = "sample"
    path: str = ""
    table: str = ""
    name: str = ""
    minimum_history_d: PositiveInt = 1000
    stale_after_d: PositiveInt = 10
    stale_price_d: PositiveInt = 20


class Calibration(Section):
    """How GJR-GARCH-t models are fitted; `minimum_history_d` counts returns."""

    minimum_history_d: PositiveInt = 500


class Features(Section):
    """What the signal model sees and what it predicts."""

    horizon_d: PositiveInt = 21


class Train(Section):
    """The signal model and its walk-forward validation."""

    folds: PositiveInt = 5
    minimum_train_d: PositiveInt = 1000
    embargo_d: Annotated[int, Field(ge=0)] = 5
    rounds: PositiveInt = 100
    max_depth: PositiveInt = 3
    learning_rate: Share = 0.05
    subsample: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8


class Simulation(Section):
    """Filtered historical simulation: scenarios, horizons and residual window in trading days."""

    scenarios: PositiveInt = 100_000
    horizons_d: tuple[PositiveInt, ...] = (1, 10)
    residual_window_d: PositiveInt = 2500


class Risk(Section):
    """Confidence levels of the headline measures."""

    var_confidence: Share = 0.99
    es_confidence: Share = 0.975


class Book(Section):
    """The simulated book: one equal-weight reference portfolio and seeded random ones."""

    portfolios: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    nav: Annotated[float, Field(gt=0)] = 1_000_000.0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"


class Backtest(Section):
    """Out-of-sample VaR backtest of the reference portfolio."""

    first_forecast_d: PositiveInt = 1000
    refit_every_d: PositiveInt = 250
    refit_window_d: PositiveInt = 2500
    residual_window_d: PositiveInt = 2000
    historical_window_d: PositiveInt = 500


class Spark(Section):
    """Spark sizing for the local profile."""

    cores: Annotated[int, Field(ge=0)] = 0
    driver_memory: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")] = "1g"
    shuffle_partitions: PositiveInt = 2


class Ray(Section):
    """Ray sizing: `workers` is the number of CPUs Ray may use, 0 for all of this machine."""

    workers: Annotated[int, Field(ge=0)] = 0
    object_store_mb: Annotated[int, Field(ge=80)] = 256
    task_timeout_s: PositiveInt = 900


class Paths(Section):
    """Where a run keeps its state (below the project folder) and what is fetched once for all projects."""

    state: Path = Path("var")
    cache: Path = Path("~/.cache/portfolio")


class Settings(Section):
    """Everything a run depends on."""

    project: Project
    environment: str = "local"
    profile: Literal["local", "cluster", "databricks"] = "local"
    project_dir: Path = Path()
    as_of: date | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 20_260_101
    catalog: Catalog = Catalog()
    market_data: MarketData = MarketData()
    calibration: Calibration = Calibration()
    features: Features = Features()
    train: Train = Train()
    simulation: Simulation = Simulation()
    risk: Risk = Risk()
    book: Book = Book()
    backtest: Backtest = Backtest()
    spark: Spark = Spark()
    ray: Ray = Ray()
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
    def cache_dir(self) -> Path:
        """Return the absolute folder of things fetched once: the Delta jars, a Java runtime."""
        return self.project_dir / self.paths.cache.expanduser()

    def numbers(self) -> dict[str, Any]:
        """Return only the settings that decide numbers; sizing, paths and names of places are left out."""
        places = {"environment", "profile", "project_dir", "project", "catalog", "spark", "ray", "paths"}
        kept = self.model_dump(mode="json", exclude=places)
        for place in ("path", "table"):
            kept["market_data"].pop(place)
        return kept


def load(
    project_dir: Path,
    environment: str = "local",
    overrides: Iterable[str] = (),
    **top_level: Any,
) -> Settings:
    """Return the settings of one environment with overrides of the form `section.key=value` applied.

    Raises:
        PortfolioError: a file is missing or malformed, a name is unknown, or a value is out of range.
    """
    conf = project_dir / "conf"
    merged: dict[str, Any] = {}
    for name in ("base", environment):
        _merge(merged, _read(conf / f"{name}.yml", conf))
    for override in overrides:
        _merge(merged, _parse(override))
    _merge(merged, {key: value for key, value in top_level.items() if value is not None})
    merged.update(project_dir=project_dir, environment=environment)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise PortfolioError(_explain(error)) from None


def known_names() -> list[str]:
    """Return every setting as `section.key`, in order of declaration."""
    names: list[str] = []
    for key, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            names += [f"{key}.{inner}" for inner in section.model_fields]
        else:
            names.append(key)
    return names


def _read(path: Path, conf: Path) -> dict[str, Any]:
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in conf.glob("*.yml") if file.stem != "base"))
        raise PortfolioError(
            f"No settings file {path}; environments here: {known or 'none (is this a project folder?)'}."
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PortfolioError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise PortfolioError(f"{path} must hold sections with keys, as in conf/base.yml.")
    return content


def _parse(override: str) -> dict[str, Any]:
    name, equals, text = override.partition("=")
    name = name.strip()
    if not equals or not name:
        raise PortfolioError(f"--set wants section.key=value, not '{override}'.")
    if name == "environment":
        raise PortfolioError("The environment decides which files of conf/ are read: use --environment NAME.")
    if name not in known_names() or name == "project_dir":
        close = difflib.get_close_matches(name, known_names(), n=1)
        hint = f"did you mean {close[0]}?" if close else "see conf/base.yml for the names."
        raise PortfolioError(f"Unknown setting '{name}'; {hint}")
    try:
        # A path or a name is taken as it stands: YAML would read `no` or `1e3` as something else.
        value = (
            text if name.endswith((".path", ".table", ".state", ".cache", ".name")) else yaml.safe_load(text)
        )
    except yaml.YAMLError:
        value = text
    section, dot, key = name.partition(".")
    return {section: {key: value}} if dot else {section: value}


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, known_names(), n=1)
        return f"Unknown setting '{name}' in conf/; " + (
            f"did you mean {close[0]}?" if close else "remove it."
        )
    return f"Setting {name} = {first.get('input')!r} is not usable: {first['msg']}."
