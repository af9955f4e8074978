"""Rows of betas and factor covariances, each with the months it was estimated on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.factor_model import Regression
from acceleray.stages.calibrate.sampled import Sampled


def covariances(
    names: tuple[str, ...], covariance: NDArray[np.float64], used: NDArray[np.datetime64]
) -> pa.Table:
    """Return each pair in both orders; `used` are the months behind the covariance, ascending."""
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    count = len(names)
    first, last = (used[0], used[-1]) if used.size else (None, None)
    return pa.table(
        {
            "factor_id": pa.array(np.repeat(names, count).tolist(), pa.string()),
            "other_factor_id": pa.array(list(names) * count, pa.string()),
            "covariance": covariance.ravel(),
            "correlation": correlation.ravel(),
            "months": pa.array([used.size] * count**2, pa.int64()),
            "first_month": _months([first] * count**2),
            "last_month": _months([last] * count**2),
        }
    )


def betas(
    instruments: tuple[str, ...],
    names: tuple[str, ...],
    found: list[Regression],
    sampled: Sampled,
) -> pa.Table:
    """Return a row for each instrument and factor."""
    count = len(names)
    columns: dict[str, pa.Array] = {
        "instrument_id": pa.array([name for name in instruments for _ in range(count)], pa.string()),
        "factor_id": pa.array(list(names) * len(instruments), pa.string()),
        "beta": pa.array([float(beta) for one in found for beta in one.betas], pa.float64()),
        "beta_se": pa.array([float(error) for one in found for error in one.standard_errors], pa.float64()),
    }
    for name, kind in (("r_squared", pa.float64()), ("specific_volatility", pa.float64())):
        columns[name] = pa.array([getattr(one, name) for one in found for _ in range(count)], kind)
    months = [sampled.months(one.periods) for one in found for _ in range(count)]
    columns["months"] = pa.array(months, pa.int64())
    for name in ("first", "last"):
        places = [getattr(one, name) for one in found for _ in range(count)]
        columns[f"{name}_month"] = _months([sampled.month_of[at] if at >= 0 else None for at in places])
    columns["sampling"] = pa.array([sampled.period] * count * len(found), pa.string())
    columns["changes"] = pa.array([one.periods for one in found for _ in range(count)], pa.int64())
    columns["reason"] = pa.array([one.reason for one in found for _ in range(count)], pa.string())
    return pa.table(columns)


def _months(values: list[np.datetime64 | None]) -> pa.Array:
    """Return months as the dates of their first days."""
    days = [None if each is None else each.astype("datetime64[D]").item() for each in values]
    return pa.array(days, pa.date32())
