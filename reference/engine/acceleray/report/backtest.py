"""Out-of-sample results of the models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from acceleray.report.formats import printable
from acceleray.report.rows import Reads, dates, floats, narrowed, where
from acceleray.settings import Settings
from acceleray.stages.stress.file import ReplayEntry, parse
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS, BACKTEST_WINDOWS

MODELS = {
    "historical_simulation": "Historical simulation",
    "ewma_normal": "EWMA normal (RiskMetrics)",
    "filtered_historical_ewma": "Filtered historical simulation, EWMA filter",
    "filtered_historical_calibrated": "Filtered historical simulation, calibrated filter",
}
HEADLINE_MODEL = "filtered_historical_calibrated"


@dataclass(frozen=True)
class Year:
    """One calendar year of one model; `low` and `high` bound the central 95 % of a correct model's counts."""

    year: int
    days: int
    exceptions: int
    expected: float
    low: int
    high: int


@dataclass(frozen=True)
class Crisis:
    """One window that the stress file replays, as far as the forecasts reach into it.

    It was chosen because it was bad: a p-value of its exceptions would mean nothing.
    """

    short: str
    label: str
    first: date
    last: date
    days: int
    exceptions: int
    expected: float
    worst_loss_pct_nav: float


@dataclass(frozen=True)
class Series:
    """Forecasts and outcomes of one model; four arrays of shape (days,), losses positive, % of NAV."""

    model: str
    label: str
    date: NDArray[np.datetime64]
    value_at_risk: NDArray[np.float64]
    loss: NDArray[np.float64]
    exception: NDArray[np.bool_]


@dataclass(frozen=True)
class Backtest:
    """The backtest of the reference portfolio; `windows` are rows of gold.backtest_windows with a label."""

    confidence: float
    # Level of the expected shortfall that Z2 judges; None if no forecast says.
    es_confidence: float | None
    verdicts: tuple[dict[str, Any], ...]
    windows: tuple[dict[str, Any], ...]
    series: tuple[Series, ...]
    years: dict[str, tuple[Year, ...]]
    crises: tuple[Crisis, ...]

    @property
    def headline(self) -> dict[str, Any] | None:
        """Return the verdict on the model behind the headline numbers."""
        return next((v for v in self.verdicts if v["model"] == HEADLINE_MODEL), None)

    @property
    def headline_series(self) -> Series | None:
        """Return the forecasts of the model behind the headline numbers."""
        return next((s for s in self.series if s.model == HEADLINE_MODEL), None)


def gather(
    read: Reads, portfolio_id: str, confidence: float, replays: Sequence[ReplayEntry] = ()
) -> Backtest:
    """Return verdicts in the order simple to calibrated, forecasts by date, and counts by year and crisis.

    Crises are the windows that the stress file replays.
    """
    wanted = narrowed(
        BACKTEST_FORECASTS,
        *(
            "portfolio_id",
            "model",
            "confidence",
            "date",
            "value_at_risk_pct_nav",
            "es_confidence",
            "loss_pct_nav",
            "exception",
        ),
    )
    forecasts = where(read(wanted, portfolio_id=[portfolio_id]), confidence=confidence)
    verdicts = where(read(BACKTEST_VERDICTS), portfolio_id=portfolio_id, confidence=confidence).to_pylist()
    windows = where(read(BACKTEST_WINDOWS), portfolio_id=portfolio_id, confidence=confidence).to_pylist()
    series = []
    for model in sorted(set(forecasts["model"].to_pylist()), key=_rank):
        rows = forecasts.filter(pc.equal(forecasts["model"], model)).sort_by("date")
        series.append(
            Series(
                model,
                MODELS.get(model, printable(model)),
                dates(rows, "date"),
                floats(rows, "value_at_risk_pct_nav"),
                floats(rows, "loss_pct_nav"),
                floats(rows, "exception") > 0,
            )
        )
    headline = next((s for s in series if s.model == HEADLINE_MODEL), None)
    return Backtest(
        confidence=confidence,
        es_confidence=pc.max(forecasts["es_confidence"]).as_py(),
        verdicts=tuple(
            {
                **v,
                "label": MODELS.get(v["model"], printable(v["model"])),
                "reason": _reason(v["reason"]),
                "decision": printable(v["decision"]),
            }
            for v in sorted(verdicts, key=lambda v: _rank(v["model"]))
        ),
        windows=tuple(
            {**row, "label": MODELS.get(row["model"], printable(row["model"]))}
            for row in sorted(windows, key=lambda row: (row["window_d"], _rank(row["model"])))
        ),
        series=tuple(series),
        years={s.model: _years(s, confidence) for s in series},
        crises=_crises(headline, confidence, replays) if headline else (),
    )


def of_headline(verdicts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of gold.backtest_verdicts on the portfolio that compares all models.

    Rows of runs before there were others do not say which it is: they have no other.
    """
    return [row for row in verdicts if row.get("headline") is not False]


def _reason(text: str) -> str:
    # A p-value such as 5e-11 is not to be broken at its minus sign.
    return re.sub(r"(?<=\de)-(?=\d)", "\u2011", printable(text))


def _years_of(replay: ReplayEntry) -> str:
    first, last = replay.first.year, replay.last.year
    return f"{first}" if first == last else f"{first}\u2013{last % 100:02d}"


def _rank(model: str) -> tuple[int, str]:
    known = list(MODELS)
    return (known.index(model) if model in MODELS else len(known), model)


def _years(series: Series, confidence: float) -> tuple[Year, ...]:
    calendar = series.date.astype("datetime64[Y]").astype(int) + 1970
    found = []
    for year in np.unique(calendar):
        inside = calendar == year
        days = int(inside.sum())
        low, high = stats.binom.interval(0.95, days, 1 - confidence)
        found.append(
            Year(
                int(year),
                days,
                int(series.exception[inside].sum()),
                days * (1 - confidence),
                int(low),
                int(high),
            )
        )
    return tuple(found)


def _crises(series: Series, confidence: float, replays: Sequence[ReplayEntry]) -> tuple[Crisis, ...]:
    found = []
    for replay in replays:
        inside = (series.date >= np.datetime64(replay.first)) & (series.date <= np.datetime64(replay.last))
        days = int(inside.sum())
        if days:
            when = series.date[inside]
            exceptions = int(series.exception[inside].sum())
            found.append(
                Crisis(
                    short=_years_of(replay),
                    label=printable(replay.title.split(",")[0]),
                    first=when[0].item(),
                    last=when[-1].item(),
                    days=days,
                    exceptions=exceptions,
                    expected=days * (1 - confidence),
                    worst_loss_pct_nav=float(series.loss[inside].max()),
                )
            )
    return tuple(found)


def replays_of(settings: Settings) -> tuple[ReplayEntry, ...]:
    """Return the windows that the stress file of a project replays; none where there is no such file."""
    path = settings.project_dir / "conf" / settings.stress.definitions
    return tuple(parse(path)[0].replays) if path.is_file() else ()
