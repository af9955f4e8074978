"""The change log: the models made before from the same prices, and what moved since the last of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from acceleray.report.backtest import HEADLINE_MODEL, of_headline
from acceleray.report.model_document.cells import OF_THE_RUN, column, shown, source
from acceleray.report.model_document.context import Context, Made
from acceleray.report.model_document.risk_fits import PARAMETERS, finite
from acceleray.report.model_document.tree import Grid, Head, Judgement, Part, Section, Words
from acceleray.report.risk import headline
from acceleray.report.rows import Reads, narrowed
from acceleray.tables import (
    BACKTEST_VERDICTS,
    CALIBRATION,
    FEATURE_IMPORTANCE,
    MODEL_DECISIONS,
    RISK_MEASURES,
    RUNS,
    TRAINING,
    Table,
)

SHOWN_MODELS = 10
_IDENTITY = ("as_of", "load_id", "code_version", "seed")
_HEADS = (Head("What"), Head("Before", number=True), Head("Now", number=True), Head("From", names=True))
Line = tuple[str, str, str, str]


def section(told: Context) -> Section:
    """Return the section."""
    parts: list[Part] = [_models(told.earlier)]
    if told.before is None or (before := told.read_before) is None:
        parts.append(Words("It is the first model of its kind from this price source."))
    else:
        parts.append(Grid("What decided the numbers.", _HEADS, tuple(_identity(told.made, told.before))))
        changed = _settings(told)
        parts.append(
            Grid("Settings that changed.", _HEADS, tuple(changed))
            if changed
            else Words(f"No setting that decides numbers changed ({source(RUNS, 'settings_json')}).")
        )
        moved = _risk(told.read, before) if told.kind == "risk" else _signal(told.read, before)
        parts.append(Grid("What moved.", _HEADS, tuple(moved)))
    parts.append(Judgement("why the model was changed, who approved it, and what was expected to move."))
    return Section("changes", "Change log", tuple(parts))


def _models(earlier: Sequence[Made]) -> Grid:
    names = ("finished_at", "run_id", "workload", "as_of", "code_version")
    heads = [Head(name.replace("_", " ").capitalize(), f"{RUNS.label}.{name}") for name in names]
    rows = tuple(
        (*(_short(name, shown(each.run[name])) for name in names), each.decision, each.reason)
        for each in earlier[:SHOWN_MODELS]
    )
    more = f"; the latest {SHOWN_MODELS}" if len(earlier) > SHOWN_MODELS else ""
    caption = f"Models of this kind from the same price source, this one first: {len(earlier)}{more}."
    return Grid(caption, (*heads, Head("Decision"), Head("Reason")), rows)


def _short(name: str, text: str) -> str:
    return text[:33] if name == "code_version" else text


def _identity(now: Made, before: Made) -> list[Line]:
    return [
        (name.replace("_", " "), shown(before.run[name]), shown(now.run[name]), source(RUNS, name))
        for name in _IDENTITY
    ]


def _settings(told: Context) -> list[Line]:
    assert told.before is not None
    then, now = _flat(json.loads(told.before.run["settings_json"])), _flat(told.chosen)
    return [
        (name, shown(then.get(name)), shown(now.get(name)), f"{RUNS.label}.settings_json")
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": each for inner, each in _flat(value).items()}
        else:
            found[name] = value
    return found


def _risk(now: Reads, before: Reads) -> list[Line]:
    lines = _row(BACKTEST_VERDICTS, _headline(before), _headline(now))
    then, today = _measures(before), _measures(now)
    for key in sorted(then.keys() | today.keys()):
        cells = shown(then.get(key)), shown(today.get(key))
        lines.append((" ".join(key), *cells, source(RISK_MEASURES, "value_pct_nav")))
    for name in PARAMETERS:
        cells = _median(before, name), _median(now, name)
        lines.append((f"median {name.replace('_', ' ')}", *cells, source(CALIBRATION, name)))
    return lines


def _signal(now: Reads, before: Reads) -> list[Line]:
    lines = _row(MODEL_DECISIONS, _first(before, MODEL_DECISIONS), _first(now, MODEL_DECISIONS))
    then, today = _first(before, TRAINING), _first(now, TRAINING)
    lines += _row(TRAINING, {k: v for k, v in then.items() if k != "parameters_json"}, today)
    chosen = [_flat(json.loads(row.get("parameters_json") or "{}")) for row in (then, today)]
    for name in sorted(chosen[0].keys() | chosen[1].keys()):
        cells = shown(chosen[0].get(name)), shown(chosen[1].get(name))
        lines.append((name, *cells, f"{source(TRAINING, 'parameters_json')}: {name}"))
    gains = [_gains(read) for read in (before, now)]
    for name in sorted(gains[0].keys() | gains[1].keys()):
        cells = shown(gains[0].get(name)), shown(gains[1].get(name))
        lines.append((f"gain of {name}", *cells, source(FEATURE_IMPORTANCE, "gain")))
    return lines


def _gains(read: Reads) -> dict[str, float]:
    return {row["feature"]: row["gain"] for row in read(FEATURE_IMPORTANCE).to_pylist()}


def _row(table: Table, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Line]:
    """Return a line for each declared column of which one of the two has a value, texts left out."""
    return [
        (
            each.name.replace("_", " "),
            shown(then.get(each.name), each),
            shown(now.get(each.name), each),
            source(table, each.name),
        )
        for each in table.columns
        if each.name not in OF_THE_RUN
        and (each.type != "string" or each.name in ("decision", "basel_zone"))
        and not each.volatile
        and (then.get(each.name) is not None or now.get(each.name) is not None)
    ]


def _headline(read: Reads) -> Mapping[str, Any]:
    rows = of_headline(read(BACKTEST_VERDICTS).to_pylist())
    return next((row for row in rows if row["model"] == HEADLINE_MODEL), {})


def _first(read: Reads, table: Table) -> Mapping[str, Any]:
    return next(iter(read(table).to_pylist()), {})


def _measures(read: Reads) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for row in read(RISK_MEASURES, portfolio_id=[headline(read)]).to_pylist():
        measure, method = (str(row[name]).replace("_", " ") for name in ("measure", "method"))
        level, horizon = f"{100 * row['confidence']:.6g} %", f"{row['horizon_d']} d"
        found[measure, level, horizon, method] = row["value_pct_nav"]
    return found


def _median(read: Reads, name: str) -> str:
    values = finite(read(narrowed(CALIBRATION, name))[name].to_pylist())
    if not values.size:
        return shown(None)
    values.sort()
    middle = len(values) // 2
    value = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2.0
    return shown(float(value), column(CALIBRATION, name))
