"""The section on monitoring: what is watched, its threshold, where both are kept, and how it stands now."""

from __future__ import annotations

from acceleray.report import gate
from acceleray.report.backtest import HEADLINE_MODEL
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
    rows = told.read(BACKTEST_VERDICTS).to_pylist()
    verdict: Row = next((row for row in rows if row["model"] == HEADLINE_MODEL), {})
    lines = [_zone(verdict)]
    for name, what in (
        ("kupiec_p", "p-value of coverage"),
        ("conditional_coverage_p", "p-value of conditional coverage"),
        ("passed", "Every test of the gate together"),
    ):
        lines.append(_verdict_line(verdict, name, what))
    lines += _critical(verdict)
    for check in gate.gather(told.read).checks:
        label = CALIBRATION_GATE.label
        lines.append(
            (
                check.label,
                check.found,
                f"{label}.share",
                check.allowed,
                f"{label}.limit",
                _state(check.passed),
            )
        )
    settings = (
        ("Log change of a volatility forecast from fit to fit", "calibration", "drifted_above"),
        ("Trading days between two fits", "calibration", "refit_every_d"),
        ("Days without a price before an instrument has ended", "market_data", "stale_after_d"),
    )
    return [*lines, *(_setting(told, *each) for each in settings)]


def _zone(verdict: Row) -> Line:
    zone = verdict.get("basel_zone")
    state = {"green": "within", "yellow": "to be explained", "red": "outside"}.get(str(zone), "not known")
    where = source(BACKTEST_VERDICTS, "basel_zone")
    return "Traffic light of the last 250 days", shown(zone), where, "not red", _CHECKED, state


def _verdict_line(verdict: Row, name: str, what: str) -> Line:
    value = verdict.get(name)
    if name == "passed":
        wanted, state = "yes", _state(bool(value)) if verdict else "not known"
    else:
        # The gate may share one level among its tests; the value alone is stated here.
        wanted, state = "by the gate", "see the reason of the verdict" if verdict else "not known"
    cell = shown(value, column(BACKTEST_VERDICTS, name))
    return what, cell, source(BACKTEST_VERDICTS, name), wanted, _CHECKED, state


def _critical(verdict: Row) -> list[Line]:
    """Return Z2 against its critical value, where the backtest states one."""
    critical = next((n for n in BACKTEST_VERDICTS.column_names if n.startswith("z2_critical")), None)
    value = verdict.get("z2")
    cells = ("Z2 of expected shortfall", shown(value), source(BACKTEST_VERDICTS, "z2"))
    if critical is None or verdict.get(critical) is None or value is None:
        return [(*cells, shown(None), _CHECKED, "not known")]
    limit = verdict[critical]
    state = _state(value >= limit)
    return [(*cells, f"at least {shown(limit)}", source(BACKTEST_VERDICTS, critical), state)]


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
