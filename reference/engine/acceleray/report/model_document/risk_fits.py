"""The section on the calibration of a risk model: parameters now and through time, bounds, drift, gate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from acceleray.report.model_document import figures
from acceleray.report.model_document.cells import Row, facts, grid, shown, source, transposed
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Fact, Grid, Head, Judgement, Part, Section, Words
from acceleray.report.rows import narrowed
from acceleray.tables import CALIBRATION, CALIBRATION_GATE, CALIBRATION_HISTORY, DEPENDENCE, FACTOR_BETAS

PARAMETERS = ("mu", "alpha", "gamma", "beta", "nu", "persistence", "half_life_d", "next_sigma")
_SHOWN = ("instrument_id", "status", "at_bound", "converged", "volatility_drift")
SHOWN_DRIFTS = 10
_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def section(told: Context) -> Section:
    """Return the section."""
    now = told.read(narrowed(CALIBRATION, *_SHOWN, *PARAMETERS)).to_pylist()
    parts: list[Part] = [
        Words("Gate of the calibration: nothing is simulated with one that does not pass it."),
        grid(CALIBRATION_GATE, told.read(CALIBRATION_GATE).to_pylist()),
        *_parameters(now),
        *_history(told),
        *_drift(now),
        Words("What ties the instruments together:"),
        transposed(DEPENDENCE, told.read(DEPENDENCE).to_pylist(), ("Value",)),
        *_betas(told),
        Judgement(
            "whether parameters at a bound and the drift since the fit before are understood, and whether the"
            " schedule of recalibration is right for the use."
        ),
    ]
    return Section("calibration", "Calibration and its stability", tuple(parts))


def _parameters(now: Sequence[Row]) -> list[Part]:
    fitted = [row for row in now if row["status"] == "calibrated"]
    bound = sum(bool(row["at_bound"]) for row in fitted)
    rows = [
        Fact("Instruments", shown(len(now)), f"{source(CALIBRATION, 'instrument_id')}, counted"),
        Fact("With a separate model", shown(len(fitted)), f"{source(CALIBRATION, 'status')}, counted"),
        Fact("With a parameter at a bound", shown(bound), f"{source(CALIBRATION, 'at_bound')}, counted"),
        Fact(
            "Not converged",
            shown(sum(not row["converged"] for row in fitted)),
            f"{source(CALIBRATION, 'converged')}, counted",
        ),
    ]
    if not fitted:
        return [facts(rows)]
    heads = ("Parameter", "Least", "Lower quartile", "Median", "Upper quartile", "Largest")
    lines = []
    for name in PARAMETERS:
        values = finite([row[name] for row in fitted])
        if values.size:
            at = np.quantile(values, _QUANTILES)
            lines.append((name, *(shown(float(one)) for one in at), source(CALIBRATION, name)))
    return [
        facts(rows),
        Grid(
            "Parameters over all instruments, now.",
            (*map(Head, heads), Head("From", names=True)),
            tuple(lines),
        ),
    ]


def _history(told: Context) -> list[Part]:
    names = ("persistence", "nu", "next_sigma")
    rows = told.read(
        narrowed(CALIBRATION_HISTORY, "fitted_on", "instrument_id", "status", "at_bound", *names)
    ).to_pylist()
    if not rows:
        return [Words(f"{CALIBRATION_HISTORY.label} has no scheduled fit of this run.")]
    rows.sort(key=lambda row: row["fitted_on"])
    lines, drawn = [], []
    for day, group in groupby(rows, key=lambda row: row["fitted_on"]):
        fits = list(group)
        sound = [row for row in fits if row["status"] == "calibrated"]
        bound = sum(bool(row["at_bound"]) for row in sound)
        medians = [_median([row[name] for row in sound]) for name in names]
        drawn.append((day, *medians))
        counts = (shown(len(fits)), shown(len(sound)), shown(bound))
        lines.append((shown(day), *counts, *(shown(one) for one in medians)))
    label = CALIBRATION_HISTORY.label
    heads = (
        Head("Fitted on", f"{label}.fitted_on"),
        Head("Fits", f"{label}.instrument_id, counted", True),
        Head("With a model", f"{label}.status, counted", True),
        Head("At a bound", f"{label}.at_bound, counted", True),
        *(Head(f"Median {name.replace('_', ' ')}", f"{label}.{name}, median", True) for name in names),
    )
    picture = figures.parameters(drawn)
    table = Grid("Every scheduled fit, each on the returns up to its own day.", heads, tuple(lines))
    return [*([picture] if picture else []), table]


def _drift(now: Sequence[Row]) -> list[Part]:
    known = [row for row in now if row["volatility_drift"] is not None]
    if not known:
        return [Words(f"No fit before this one to compare with ({source(CALIBRATION, 'volatility_drift')}).")]
    known.sort(key=lambda row: (-abs(row["volatility_drift"]), row["instrument_id"]))
    caption = (
        f"Drift: log of the volatility forecast over that of the scheduled fit before; the {SHOWN_DRIFTS}"
        f" largest of {len(known)}."
    )
    names = ("instrument_id", "volatility_drift", "persistence", "nu", "next_sigma", "at_bound")
    return [grid(CALIBRATION, known[:SHOWN_DRIFTS], caption, names)]


def _betas(told: Context) -> list[Part]:
    rows = told.read(FACTOR_BETAS).to_pylist()
    known = [row for row in rows if row["beta"] is not None]
    if not known:
        return []
    lines = []
    for factor in sorted({row["factor_id"] for row in known}):
        mine = [row for row in known if row["factor_id"] == factor]
        lines.append(
            (
                factor,
                shown(len(mine)),
                shown(_median([row["beta"] for row in mine])),
                shown(_median([row["r_squared"] for row in mine])),
                shown(min(row["months"] for row in mine)),
                shown(max(row["months"] for row in mine)),
            )
        )
    label = FACTOR_BETAS.label
    heads = (
        Head("Factor", f"{label}.factor_id"),
        Head("Instruments", f"{label}.instrument_id, counted", True),
        Head("Median beta", f"{label}.beta", True),
        Head("Median R-squared", f"{label}.r_squared", True),
        Head("Fewest months", f"{label}.months", True),
        Head("Most months", f"{label}.months", True),
    )
    return [Grid("Factor betas.", heads, tuple(lines))]


def finite(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Return the finite ones of some values, as an array."""
    array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return array[np.isfinite(array)]


def _median(values: Sequence[float | None]) -> float | None:
    known = finite(values)
    return float(np.median(known)) if known.size else None
