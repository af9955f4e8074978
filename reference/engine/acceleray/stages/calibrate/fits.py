"""One fit: of which instrument, on which days, and what becomes of it in a table and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.cash_like import NU_OF_NEARLY_NORMAL, cash_like, of_constant_variance
from acceleray.quant.garch import (
    GjrFit,
    GjrParameters,
    fit_gjr_garch_t,
    rejected,
)
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills

PARAMETERS = ("mu", "omega", "alpha", "gamma", "beta", "nu")
_PLAIN = ("status", "reason", "observations", "converged", "at_bound", "starts")
_NUMBERS = ("log_likelihood", "initial_variance", "next_sigma")
_DERIVED = ("persistence", "half_life_d")
FIT_COLUMNS = (*_PLAIN, *_NUMBERS, *PARAMETERS, *_DERIVED, *(f"{name}_se" for name in PARAMETERS))


def fit_before(
    task: tuple[int, int],
    values: NDArray[np.float64],
    window: int,
    minimum: int,
    stale_after: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
    compiled_in: Path | None = DEFAULT_FOLDER,
) -> GjrFit:
    """Return the fit of one instrument on the `window` days before row `first`, and nothing later.

    Args:
        task: `first` and the instrument's column.
        values: simple returns of shape (days, instruments), NaN where a model sees none: see
            `spans.modelled`.
        window: days the fit may see.
        minimum: fewest returns.
        stale_after, standstill_d: see `fit_instrument`.
        compiled_in: folder of machine code, None for the optimiser of arch.
    """
    first, instrument = task
    seen = values[max(0, first - window) : first]
    return fit_instrument(instrument, seen, minimum, stale_after, standstill_d, compiled_in)


def fit_instrument(
    instrument: int,
    values: NDArray[np.float64],
    minimum: int,
    stale_after: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
    compiled_in: Path | None = DEFAULT_FOLDER,
) -> GjrFit:
    """Return the fit of one column of a (days, instruments) matrix of returns with gaps.

    History before a standstill of the price, more than `standstill_d` days long, is left out. A
    series without a return on the last `stale_after` days is rejected: its volatility today is unknown. One
    that moves no more than cash does is held with its own mean and volatility.
    """
    series = values[:, instrument]
    returns = series[np.isfinite(series)]
    if (
        returns.size >= max(minimum, 2)
        and np.isfinite(series[-stale_after - 1 :]).any()
        and cash_like(returns)
    ):
        mean, sigma = float(returns.mean()), float(returns.std())
        why = f"hardly moves ({100.0 * sigma:.2g} % per day): constant volatility is used"
        return of_constant_variance("held", why, returns.size, mean, sigma, NU_OF_NEARLY_NORMAL)
    series = after_standstills(values[:, instrument : instrument + 1], standstill_d)[:, 0]
    known = np.flatnonzero(np.isfinite(series))
    silent = len(series) if not known.size else len(series) - 1 - int(known[-1])
    if silent > stale_after:
        return rejected(f"no return on the last {silent} trading days", known.size)
    return fit_gjr_garch_t(series[known], minimum, standstill_d, compiled_in)


def fit_table(fits: Sequence[GjrFit]) -> pa.Table:
    """Return the columns `FIT_COLUMNS`, a row for each fit; what is not finite is left empty."""
    columns = {name: pa.array([getattr(fit, name) for fit in fits]) for name in _PLAIN}
    for name in _NUMBERS:
        columns[name] = _floats([getattr(fit, name) for fit in fits])
    for name in (*PARAMETERS, *_DERIVED):
        columns[name] = _floats([_value(fit.parameters, name) for fit in fits])
    for name in PARAMETERS:
        columns[f"{name}_se"] = _floats([_value(fit.standard_errors, name) for fit in fits])
    return pa.table({name: columns[name] for name in FIT_COLUMNS})


def fits_of(rows: pa.Table) -> list[GjrFit]:
    """Return the fits that `fit_table` made rows of, to the last bit; other columns are passed over."""
    return [_fit(row) for row in rows.select(FIT_COLUMNS).to_pylist()]


def as_bytes(fit: GjrFit) -> bytes:
    """Return a fit as JSON, whose numbers are exact."""
    (row,) = fit_table([fit]).to_pylist()
    return json.dumps(row).encode()


def from_bytes(content: bytes) -> GjrFit:
    """Return the fit that `as_bytes` made bytes of, to the last bit."""
    return _fit(json.loads(content))


def _fit(row: Mapping[str, Any]) -> GjrFit:
    fitted = row["mu"] is not None
    parameters = GjrParameters(*(_number(row[name]) for name in PARAMETERS))
    errors = GjrParameters(*(_number(row[f"{name}_se"]) for name in PARAMETERS))
    return GjrFit(
        status=row["status"],
        reason=row["reason"],
        observations=row["observations"],
        parameters=parameters if fitted else None,
        standard_errors=errors if fitted and row["status"] == "calibrated" else None,
        log_likelihood=_number(row["log_likelihood"]),
        converged=row["converged"],
        at_bound=row["at_bound"],
        initial_variance=_number(row["initial_variance"]),
        next_sigma=_number(row["next_sigma"]),
        starts=row["starts"],
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _value(parameters: GjrParameters | None, name: str) -> float:
    return math.nan if parameters is None else float(getattr(parameters, name))


def _floats(values: Sequence[float]) -> pa.Array:
    return pa.array([value if math.isfinite(value) else None for value in values], pa.float64())
