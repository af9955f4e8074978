"""Everything the page shows, gathered from tables into one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from portfolio.errors import PortfolioError
from portfolio.report import backtest, models, quality, risk
from portfolio.report.formats import printable
from portfolio.report.rows import Read, first
from portfolio.settings import Settings
from portfolio.tables import RUN_TABLES, RUNS


@dataclass(frozen=True)
class Lineage:
    """Where the numbers come from; `None` or empty where a run has not recorded it."""

    run_id: str
    workload: str | None
    load_id: str
    seed: int
    code_version: str | None
    model_uri: str | None
    mlflow_run_id: str | None
    # Stage, direction, table, version, rows and fingerprint, in the order stages first appear.
    tables: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Report:
    """One run, ready to be drawn and written."""

    customer: str
    project: str
    as_of: date
    source: str
    sample: bool
    portfolio_id: str
    portfolio_name: str
    nav: float
    currency: str
    settings: Settings
    horizons: tuple[risk.Horizon, ...]
    contributions: risk.Contributions
    book: risk.Book
    backtest: backtest.Backtest
    calibration: models.Calibration
    signal: models.Signal
    quality: quality.Quality
    lineage: Lineage


def gather(read: Read, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run wrote no reference portfolio or no risk measures, so there is nothing to say.
    """
    reference = risk.reference(read)
    if reference is None:
        raise PortfolioError(
            "This run has no reference portfolio to report on; run `portfolio run end_to_end_pipeline` first."
        )
    portfolio_id = str(reference["portfolio_id"])
    horizons = risk.horizons(read, portfolio_id, settings)
    if not any(horizon.measures for horizon in horizons):
        raise PortfolioError(
            f"This run has no risk measures for portfolio {portfolio_id} at the confidence levels in conf/;"
            " run `portfolio run end_to_end_pipeline` first."
        )
    prices = quality.gather(read)
    run = first(read(RUNS)) or {}
    signal = models.signal(read)
    book = risk.book(read, portfolio_id)
    return Report(
        customer=printable(settings.project.customer),
        project=printable(settings.project.name),
        as_of=_as_date(reference["as_of"]),
        source=printable(run.get("source") or prices.source or settings.market_data.source),
        sample=settings.market_data.source == "sample",
        portfolio_id=portfolio_id,
        portfolio_name=printable(reference["name"]),
        nav=float(str(reference["nav"])),
        currency=str(reference["currency"]),
        settings=settings,
        horizons=horizons,
        contributions=risk.contributions(read, portfolio_id, horizons, settings),
        book=book,
        backtest=backtest.gather(read, portfolio_id, settings.risk.var_confidence),
        calibration=models.calibration(read),
        signal=signal,
        quality=prices,
        lineage=_lineage(read, run, str(reference["run_id"]), prices.load_id, settings),
    )


def _as_date(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"as_of must be a date, not {value!r}")
    return value


def _lineage(read: Read, run: dict[str, Any], run_id: str, load_id: str, settings: Settings) -> Lineage:
    tables = read(RUN_TABLES).to_pylist()
    order: dict[str, int] = {}
    for name in _STAGES:
        order[name] = len(order)
    for row in tables:
        order.setdefault(row["stage"], len(order))
    tables.sort(key=lambda row: (order[row["stage"]], row["direction"] != "read", row["table_name"]))
    return Lineage(
        run_id=run_id,
        workload=run.get("workload"),
        load_id=run.get("load_id") or load_id,
        seed=run.get("seed", settings.seed),
        code_version=run.get("code_version"),
        model_uri=run.get("model_uri"),
        mlflow_run_id=run.get("mlflow_run_id"),
        tables=tuple(tables),
    )


# The order in which data flows; a stage that is not named here follows in the order it was recorded.
_STAGES = (
    "ingest",
    "features",
    "book",
    "calibrate",
    "tune",
    "train",
    "simulate",
    "score",
    "signals",
    "stress",
    "backtest",
    "gate",
    "report",
)
