"""The sections on outcomes and benchmarks of a risk model: every test, by year, by crisis, and by model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from scipy import stats

from acceleray.errors import PortfolioError
from acceleray.report import backtest, backtest_figures
from acceleray.report.backtest import HEADLINE_MODEL, MODELS, Series
from acceleray.report.formats import confidence
from acceleray.report.model_document.cells import Row, declared, grid, shown, transposed
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Grid, Head, Judgement, Part, Picture, Section, Words
from acceleray.report.rows import narrowed
from acceleray.stages.stress.definitions import read_definitions
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS, STRESS_SCENARIOS

# Tables of the backtest that say more than the verdicts, where the engine has them.
MORE = ("gold.backtest_horizons",)
_FORECASTS = BACKTEST_FORECASTS.label
_COUNTED = f"{_FORECASTS}.exception, counted"
# Identity of the rows of a grid that shows one portfolio.
_SAID_ABOVE = ("portfolio_id",)

# Name of the window, first and last day.
Window = tuple[str, date, date]


def outcomes(told: Context) -> Section:
    """Return the section on the outcomes of the model that is documented."""
    verdicts = backtest.of_headline(told.read(BACKTEST_VERDICTS).to_pylist())
    mine = [row for row in verdicts if row["model"] == HEADLINE_MODEL]
    parts: list[Part] = [
        Words(
            "Every out-of-sample day of the headline portfolio, each forecast from the days before it only."
            " The loss is hypothetical: the portfolio's positions on that day's returns, not a booked result."
        ),
        transposed(
            BACKTEST_VERDICTS, mine, [f"VaR {confidence(row['confidence'])}" for row in mine], "All tests."
        ),
    ]
    for row in mine[:1]:
        found = backtest.gather(told.read, row["portfolio_id"], row["confidence"])
        series = found.headline_series
        if series is not None and len(series.date):
            parts += _pictures(found)
            parts += [_years(found, row["confidence"]), *_crises(told, series, row["confidence"])]
    for label in MORE:
        parts += further(told, label)
    parts.append(
        Judgement(
            "whether the outcomes support the use above; what is done in years and crises with more"
            " exceptions than a right model has; and how hypothetical losses compare with booked ones."
        )
    )
    return Section("outcomes", "Outcome analysis", tuple(parts))


def benchmarks(told: Context) -> Section:
    """Return the section that holds the model against simpler ones on the same days."""
    verdicts = backtest.of_headline(told.read(BACKTEST_VERDICTS).to_pylist())
    known = list(MODELS)
    order = {name: place for place, name in enumerate(known)}
    verdicts.sort(key=lambda row: (row["confidence"], order.get(row["model"], len(known)), row["model"]))
    names = [MODELS.get(row["model"], row["model"]) for row in verdicts]
    return Section(
        "benchmarks",
        "Benchmarking against simpler models",
        (
            Words("The same tests on the same days; the documented model comes last."),
            transposed(BACKTEST_VERDICTS, verdicts, names, without=("portfolio_id", "model")),
            *_forecasts(told),
            Judgement("why the simpler models are not enough, or that one of them is."),
        ),
    )


def further(told: Context, label: str) -> list[Part]:
    """Return the rows of a table as they are, nothing where this engine does not have it."""
    table = declared(label)
    if table is None:
        return []
    rows = told.read(table).to_pylist()
    return [grid(table, rows, table.comment, without=_SAID_ABOVE)]


def _pictures(found: backtest.Backtest) -> list[Part]:
    # Exceptions by year have a separate table; drawing them again would take as long as all else.
    drawn = backtest_figures.history(found)
    if drawn is None:
        return []
    words = f"Forecasts, losses and exceptions of every day ({_FORECASTS})."
    return [Picture(drawn, "Losses, forecasts and exceptions through all days.", words)]


def _years(found: backtest.Backtest, level: float) -> Grid:
    heads = (
        Head("Year", f"{_FORECASTS}.date"),
        Head("Days", f"{_FORECASTS}.date, counted", True),
        Head("Exceptions", _COUNTED, True),
        Head("Expected", "days times (1 - confidence)", True),
        Head("95 % of right models", "binomial", True),
    )
    rows = tuple(
        (str(y.year), shown(y.days), shown(y.exceptions), shown(y.expected), f"{y.low} to {y.high}")
        for y in found.years[HEADLINE_MODEL]
    )
    return Grid(f"By year, VaR {confidence(level)}.", heads, rows)


def _crises(told: Context, series: Series, level: float) -> list[Part]:
    windows, where = _windows(told)
    if not windows:
        return [Words(f"No crisis is looked at: {where}.")]
    heads = (
        Head("Window", where),
        Head("First day"),
        Head("Last day"),
        Head("Days", f"{_FORECASTS}.date, counted", True),
        Head("Exceptions", _COUNTED, True),
        Head("Expected", "days times (1 - confidence)", True),
        Head("95 % of right models", "binomial", True),
        Head("Worst loss, % of NAV", f"{_FORECASTS}.loss_pct_nav", True),
    )
    rows = [_crisis(window, series, level) for window in windows]
    caption = (
        "By crisis, the replay windows of the stress file. They were chosen because they were bad, so the"
        " range of a right model is a yardstick and no test."
    )
    return [Grid(caption, heads, tuple(rows))]


def _crisis(window: Window, series: Series, level: float) -> tuple[str, ...]:
    title, first, last = window
    inside = (series.date >= np.datetime64(first)) & (series.date <= np.datetime64(last))
    days = int(inside.sum())
    if not days:
        nothing = ("0", "no day out of sample", "", "", "")
        return (title, shown(first), shown(last), *nothing)
    low, high = stats.binom.interval(0.95, days, 1.0 - level)
    return (
        title,
        shown(first),
        shown(last),
        shown(days),
        shown(int(series.exception[inside].sum())),
        shown(days * (1.0 - level)),
        f"{int(low)} to {int(high)}",
        shown(float(series.loss[inside].max())),
    )


def _windows(told: Context) -> tuple[list[Window], str]:
    """Return the crisis windows and where they come from: the run's own stress scenarios, or the file."""
    columns = ("title", "kind", "first_date", "last_date")
    rows = told.read(narrowed(STRESS_SCENARIOS, *columns)).to_pylist()
    found = [
        (row["title"], row["first_date"], row["last_date"])
        for row in rows
        if row["kind"] == "replay" and row["first_date"] is not None and row["last_date"] is not None
    ]
    if found:
        return sorted(found, key=lambda one: one[1]), f"{STRESS_SCENARIOS.label}.first_date, last_date"
    file = told.settings.stress.definitions
    try:
        replays = read_definitions(told.settings).replays
    except PortfolioError:
        return [], f"conf/{file} cannot be read"
    return sorted(((r.title, r.first, r.last) for r in replays), key=lambda one: one[1]), f"conf/{file}"


def _forecasts(told: Context) -> list[Part]:
    names = (
        "portfolio_id",
        "model",
        "confidence",
        "value_at_risk_pct_nav",
        "expected_shortfall_pct_nav",
        "loss_pct_nav",
    )
    verdicts = backtest.of_headline(told.read(BACKTEST_VERDICTS).to_pylist())
    headline = sorted({row["portfolio_id"] for row in verdicts})
    rows = told.read(narrowed(BACKTEST_FORECASTS, *names), portfolio_id=headline)
    if not rows.num_rows:
        return []
    summed = rows.group_by(["model", "confidence"]).aggregate(
        [("value_at_risk_pct_nav", "mean"), ("expected_shortfall_pct_nav", "mean")]
    )
    known = list(MODELS)
    found: Sequence[Row] = sorted(
        summed.to_pylist(), key=lambda row: known.index(row["model"]) if row["model"] in known else len(known)
    )
    heads = (
        Head("Model", f"{_FORECASTS}.model"),
        Head("Mean VaR forecast, % of NAV", f"{_FORECASTS}.value_at_risk_pct_nav, mean", True),
        Head("Mean ES forecast, % of NAV", f"{_FORECASTS}.expected_shortfall_pct_nav, mean", True),
    )
    lines = tuple(
        (
            str(MODELS.get(row["model"], row["model"])),
            shown(row["value_at_risk_pct_nav_mean"]),
            shown(row["expected_shortfall_pct_nav_mean"]),
        )
        for row in found
    )
    caption = "How much each model asks for on average: a model can have few exceptions by asking for more."
    return [Grid(caption, heads, lines)]
