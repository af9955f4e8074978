"""What the out-of-sample days say about the models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import stats

from acceleray.report.formats import printable
from acceleray.report.rows import Read, dates, floats, narrowed, where
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS

MODELS = {
    "historical_simulation": "Historical simulation",
    "ewma_normal": "EWMA normal (RiskMetrics)",
    "filtered_historical_ewma": "Filtered historical simulation, EWMA filter",
    "filtered_historical_calibrated": "Filtered historical simulation, calibrated filter",
}
HEADLINE_MODEL = "filtered_historical_calibrated"

# Peak to trough of the S&P 500 for the first two; the fall and the wild weeks after it for the third.
CRISES = (
    ("2000\u201302", "Dot-com bust", date(2000, 3, 24), date(2002, 10, 9)),
    ("2008", "Financial crisis", date(2007, 10, 9), date(2009, 3, 9)),
    ("2020", "Pandemic", date(2020, 2, 19), date(2020, 6, 30)),
)


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
    """One crisis window as far as the forecasts reach into it.

    `chance` is the probability that a correct model has at least as many exceptions on as many days.
    """

    short: str
    label: str
    first: date
    last: date
    days: int
    exceptions: int
    expected: float
    chance: float
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
    """The backtest of the reference portfolio."""

    confidence: float
    # Level of the expected shortfall that Z2 judges; None if no forecast says.
    es_confidence: float | None
    verdicts: tuple[dict[str, Any], ...]
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


def gather(read: Read, portfolio_id: str, confidence: float) -> Backtest:
    """Return verdicts in the order simple to calibrated, forecasts by date, and counts by year and crisis."""
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
    forecasts = where(read(wanted), portfolio_id=portfolio_id, confidence=confidence)
    verdicts = where(read(BACKTEST_VERDICTS), portfolio_id=portfolio_id, confidence=confidence).to_pylist()
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
        series=tuple(series),
        years={s.model: _years(s, confidence) for s in series},
        crises=_crises(headline, confidence) if headline else (),
    )


def _reason(text: str) -> str:
    # A p-value such as 5e-11 is not to be broken at its minus sign.
    return re.sub(r"(?<=\de)-(?=\d)", "\u2011", printable(text))


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


def _crises(series: Series, confidence: float) -> tuple[Crisis, ...]:
    found = []
    for short, label, start, end in CRISES:
        inside = (series.date >= np.datetime64(start)) & (series.date <= np.datetime64(end))
        days = int(inside.sum())
        if days:
            when = series.date[inside]
            exceptions = int(series.exception[inside].sum())
            found.append(
                Crisis(
                    short=short,
                    label=label,
                    first=when[0].item(),
                    last=when[-1].item(),
                    days=days,
                    exceptions=exceptions,
                    expected=days * (1 - confidence),
                    chance=float(stats.binom.sf(exceptions - 1, days, 1 - confidence)),
                    worst_loss_pct_nav=float(series.loss[inside].max()),
                )
            )
    return tuple(found)
