"""The section on monitoring: what is watched, its threshold, where both are kept, and how it stands now."""

from __future__ import annotations

from acceleray.report import gate
from acceleray.report.backtest import HEADLINE_MODEL, of_headline
from acceleray.report.model_document.cells import Row, column, shown, source
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Grid, Head, Judgement, Section, Words
from acceleray.tables import BACKTEST_VERDICTS, CALIBRATION_GATE, MODEL_DECISIONS, RUNS, TUNING_EVIDENCE

_HEADS = (
    Head("What"),
    Head("Now", number=True),
    Head("From", names=True),
    Head("Threshold", number=True),
    Head("Threshold from", names=True),
    Head("State"),
)
_CHECKED = "the gate, engine/docs/methodology.md"
_P_VALUES = (
    ("coverage_p", "p-value of coverage"),
    ("dynamic_quantile_p", "p-value of clusters"),
    ("z2_p", "p-value of Z2"),
    ("exceedance_p", "p-value of the size of exceedances"),
    ("smallest_adjusted_p", "Smallest p-value after Holm"),
)
Line = tuple[str, ...]


def section(told: Context) -> Section:
    """Return the section."""
    rows = _risk(told) if told.kind == "risk" else _signal(told)
    return Section(
        "monitoring",
        "Monitoring with thresholds",
        (
            Words("Each run states these again; `portfolio show` on the table gives every run's value."),
            Grid("", _HEADS, tuple(rows)),
            Judgement(
                "who looks at these, how often, from which value on the model is reviewed, restricted or"
                " withdrawn, and where that is recorded."
            ),
        ),
    )


def _risk(told: Context) -> list[Line]:
    rows = of_headline(told.read(BACKTEST_VERDICTS).to_pylist())
    verdict: Row = next((row for row in rows if row["model"] == HEADLINE_MODEL), {})
    passed = _state(bool(verdict["passed"])) if verdict else "not known"
    where = source(BACKTEST_VERDICTS, "passed")
    lines: list[Line] = [
        ("The gate of the backtest", shown(verdict.get("passed")), where, "yes", _CHECKED, passed),
        *(_zone(verdict, days, name) for days, name in ((250, "basel_zone"), (500, "basel_zone_500"))),
        *_rate(told, verdict),
        *_tests(told, verdict),
    ]
    for check in gate.gather(told.read).checks:
        label = CALIBRATION_GATE.label
        cells = (check.label, check.found, f"{label}.share", check.allowed, f"{label}.limit")
        lines.append((*cells, _state(check.passed)))
    settings = (
        ("Log change of a volatility forecast from fit to fit", "calibration", "drifted_above"),
        ("Trading days between two fits", "calibration", "refit_every_d"),
        ("Days without a price before an instrument has ended", "market_data", "stale_after_d"),
    )
    return [*lines, *(_setting(told, *each) for each in settings)]


def _zone(verdict: Row, days: int, name: str) -> Line:
    zone = verdict.get(name)
    state = {"green": "within", "yellow": "to be explained", "red": "outside"}.get(str(zone), "not known")
    what = f"Traffic light of the last {days} days"
    return what, shown(zone), source(BACKTEST_VERDICTS, name), "not red", _CHECKED, state


def _rate(told: Context, verdict: Row) -> list[Line]:
    """Return whether the interval of the exception rate can lie in the tolerance."""
    low, high = verdict.get("rate_low"), verdict.get("rate_high")
    tolerance = told.chosen.get("backtest", {}).get("rate_tolerance")
    if low is None or high is None or not tolerance:
        return []
    least, most = tolerance
    return [
        (
            "Rate of exceptions, 95 % interval, in times the expected",
            f"{shown(low)} to {shown(high)}",
            source(BACKTEST_VERDICTS, "rate_low", "rate_high"),
            f"reaches {least:g} to {most:g}",
            told.setting("backtest", "rate_tolerance")[1],
            _state(low <= most and high >= least),
        )
    ]


def _tests(told: Context, verdict: Row) -> list[Line]:
    """Return the p-values that share one level, and Z2 against its critical value."""
    level, level_from = _number(told, "backtest", "level")
    lines: list[Line] = []
    for name, what in _P_VALUES:
        value = verdict.get(name)
        adjusted = name == "smallest_adjusted_p"
        state = _compared(value, level, above=True) if adjusted else "judged together, after Holm"
        limit = f"above {shown(level)}" if adjusted else "together with the others"
        cell = shown(value, column(BACKTEST_VERDICTS, name))
        lines.append((what, cell, source(BACKTEST_VERDICTS, name), limit, level_from, state))
    value, critical = verdict.get("z2"), verdict.get("z2_critical")
    state = "not known" if value is None or critical is None else _state(value >= critical)
    lines.append(
        (
            "Z2 of expected shortfall",
            shown(value),
            source(BACKTEST_VERDICTS, "z2"),
            f"at least {shown(critical)}",
            source(BACKTEST_VERDICTS, "z2_critical"),
            state,
        )
    )
    return lines


def _signal(told: Context) -> list[Line]:
    row: Row = next(iter(told.read(MODEL_DECISIONS).to_pylist()), {})
    evidence: Row = next(iter(told.read(TUNING_EVIDENCE).to_pylist()), {})
    least, least_from = _number(told, "train", "minimum_rank_ic")
    most, most_from = _number(told, "leakage", "maximum_rank_ic")
    value, where = row.get("rank_ic"), source(MODEL_DECISIONS, "rank_ic")
    lines: list[Line] = [
        (
            "Mean rank IC out of sample",
            shown(value),
            where,
            f"above {shown(least)}",
            least_from,
            _compared(value, least, above=True),
        ),
        (
            "The same, believable on real daily prices",
            shown(value),
            where,
            f"at most {shown(most)}",
            most_from,
            _compared(value, most, above=False),
        ),
    ]
    for name, what in (
        ("rank_ic_t", "t-statistic of the mean rank IC"),
        ("rank_ic_difference_t", "t-statistic of the difference from the champion"),
    ):
        cell = shown(row.get(name))
        state = str(row.get("decision"))
        lines.append((what, cell, source(MODEL_DECISIONS, name), "by the gate", _CHECKED, state))
    if evidence:
        cell = shown(evidence.get("deflated_sharpe"))
        where = source(TUNING_EVIDENCE, "deflated_sharpe")
        lines.append(("Deflated Sharpe ratio of the search", cell, where, "by the owner", "", "not judged"))
    return lines


def _setting(told: Context, what: str, part: str, name: str) -> Line:
    value, where = told.setting(part, name)
    return what, f"see {'Calibration' if part == 'calibration' else 'Data'}", "", value, where, ""


def _number(told: Context, part: str, name: str) -> tuple[float | None, str]:
    value = told.chosen.get(part, {}).get(name)
    return (None if value is None else float(value)), f"{RUNS.label}.settings_json: {part}.{name}"


def _compared(value: float | None, limit: float | None, above: bool) -> str:
    if value is None or limit is None:
        return "not known"
    return _state(value > limit if above else value <= limit)


def _state(passed: bool) -> str:
    return "within" if passed else "outside"
