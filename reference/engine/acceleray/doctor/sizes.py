"""How much work the settings ask for: each stage of this project, counted, and its seconds of one core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acceleray.counts import counted
from acceleray.doctor.measured import Measured
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

Pattern = Literal["tables", "uneven", "stopped early", "shared", "map", "one fit"]
# The sample that ships with skfolio, and the features of `acceleray.stages.features.stage`.
_SAMPLE, _FEATURES = (20, 8313), 14


@dataclass(frozen=True)
class Work:
    """One stage: what it does, how its tasks behave, and how large it is.

    Attributes:
        name: of the stage.
        pattern: what decides where it runs well.
        amount: in words.
        core_s: seconds of one core; None if nothing like it was measured.
        row: of the benchmark that is the evidence.
        memory_gb: of its largest array, where that decides.
    """

    name: str
    pattern: Pattern
    amount: str
    core_s: float | None
    row: str
    memory_gb: float = 0.0


def panel(settings: Settings, instruments: int | None, days: int | None) -> tuple[int, int]:
    """Return instruments and days: as given, else as the price source has them.

    Raises:
        PortfolioError: the source does not tell without being read by Spark.
    """
    source = settings.market_data.source
    if instruments is not None and days is not None:
        return instruments, days
    if source == "sample":
        found = _SAMPLE
    elif source == "simulated":
        found = settings.universe.instruments, settings.universe.days
    elif source == "csv":
        found = _counted(settings)
    else:
        kind = "A table" if source == "table" else f"Price source {source}"
        raise PortfolioError(f"{kind} is not read for advice; add --instruments N --days N.")
    return instruments or found[0], days or found[1]


def _counted(settings: Settings) -> tuple[int, int]:
    # With pandas, which commands that only look need not load.
    from acceleray.stages.ingest.reading.delivery import deliver
    from acceleray.stages.ingest.reading.wishes import wishes_of

    found = deliver(settings.project_dir / Path(settings.market_data.path).expanduser(), wishes_of(settings))
    return max(1, len(found.instruments)), max(1, len(found.days))


def works(settings: Settings, instruments: int, days: int, measured: Measured) -> Iterator[Work]:
    """Yield the work of every stage, in the order in which data flows."""

    def seconds(row: str, units: float, side: str = "ray") -> float | None:
        unit = measured.unit_s(row, side)
        return None if unit is None else unit * units

    rows = instruments * days
    yield Work("ingest and features", "tables", f"{rows:,} prices, joins and windows", None, "etl")
    fit = settings.calibration
    # On every day of the schedule and today; there is a return less than there are prices.
    fits = instruments * (1 + len(range(fit.first_fit_d, days - 1, fit.refit_every_d)))
    core_s = seconds("calibration", fits * min(fit.window_d, days))
    yield Work("calibrate", "uneven", f"{counted(fits, 'fit')} of different lengths", core_s, "calibration")
    trials, rounds = settings.tune.trials, settings.tune.maximum_rounds
    core_s = seconds("tuning", trials * rounds * rows)
    yield Work("tune", "stopped early", f"{counted(trials, 'trial')} on {rows:,} rows", core_s, "tuning")
    units = rows * _FEATURES * settings.model.rounds
    core_s, memory_gb = seconds("training", units, "limit"), rows * _FEATURES * 4 / 1e9
    amount = f"one model of {counted(settings.model.rounds, 'round')} on {rows:,} rows"
    yield Work("train", "one fit", amount, core_s, "training", memory_gb)
    # The stress test simulates the most.
    scenarios = max(settings.stress.scenarios, settings.simulation.scenarios)
    portfolios, horizons = settings.book.portfolios, len(settings.simulation.horizons_d)
    core_s = seconds("simulation", scenarios * portfolios * instruments * horizons)
    amount = f"{scenarios:,} scenarios x {counted(portfolios, 'portfolio')} x {counted(horizons, 'horizon')}"
    yield Work("simulate", "shared", amount, core_s, "simulation")
    scored = instruments * settings.score.history_d
    core_s = seconds("scoring", scored * _FEATURES * settings.model.rounds)
    yield Work("score", "map", f"{scored:,} rows by the champion", core_s, "scoring")
