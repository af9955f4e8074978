"""What the out-of-sample days say about each model, and the rows that keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.backtest import Verdict, acerbi_szekely_z2, verdict
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import MODELS
from acceleray.stages.book.stage import REFERENCE

# The model behind the simulated risk; the others are there to be compared with.
HEADLINE = MODELS[-1]
# Fewer days than a trading year cannot judge a 99 % quantile.
MINIMUM_DAYS = 250


@dataclass(frozen=True)
class Judged:
    """The verdict on one model: may it be used, why, and what was decided.

    `z2` and `z2_recent` (the last 250 days) are Acerbi and Szekely's Z2 of the expected shortfall.
    """

    verdict: Verdict
    z2: float
    z2_recent: float
    passed: bool
    reason: str
    decision: str


def judged(losses: NDArray[np.float64], forecasts: NDArray[np.float64], risk: Risk) -> dict[str, Judged]:
    """Return the verdict on each model.

    Args:
        losses: realised, of shape (days,), as shares of NAV.
        forecasts: of shape (models, 3, days): value at risk, and value at risk and expected shortfall at the
            level of the latter.
        risk: the confidence levels.
    """
    found = {}
    for model, (var, threshold, shortfall) in zip(MODELS, forecasts, strict=True):
        result = verdict(losses > var, risk.var_confidence)
        passed, reason = may_be_used(result)
        z2 = acerbi_szekely_z2(losses, threshold, shortfall, risk.es_confidence)
        last = slice(-MINIMUM_DAYS, None)
        recent = acerbi_szekely_z2(losses[last], threshold[last], shortfall[last], risk.es_confidence)
        promoted = "promoted" if passed else "not promoted"
        found[model] = Judged(
            result, z2, recent, passed, reason, promoted if model == HEADLINE else "benchmark"
        )
    return found


def may_be_used(result: Verdict) -> tuple[bool, str]:
    """Return whether a model may be used, and why, in words; too few days are not a pass."""
    if result.days < MINIMUM_DAYS:
        return False, f"{result.days} out-of-sample days are too few to judge; {MINIMUM_DAYS} are needed"
    return result.passed, result.reason


def forecast_rows(
    days: Sequence[date], losses: NDArray[np.float64], forecasts: NDArray[np.float64], risk: Risk
) -> pa.Table:
    """Return gold.backtest_forecasts, model by model; arguments as in `judged`."""
    var, threshold, shortfall = (forecasts[:, place].ravel() for place in range(3))
    realised = np.tile(losses, len(MODELS))
    return pa.table(
        {
            "portfolio_id": pa.array([REFERENCE] * var.size, pa.string()),
            "model": np.repeat(MODELS, len(days)),
            "confidence": np.full(var.size, risk.var_confidence),
            "date": pa.array([*days] * len(MODELS), pa.date32()),
            "value_at_risk_pct_nav": 100.0 * var,
            "es_confidence": np.full(var.size, risk.es_confidence),
            "expected_shortfall_pct_nav": 100.0 * shortfall,
            "es_threshold_pct_nav": 100.0 * threshold,
            "loss_pct_nav": 100.0 * realised,
            "exception": realised > var,
        }
    )


def verdict_rows(verdicts: Mapping[str, Judged], risk: Risk) -> pa.Table:
    """Return gold.backtest_verdicts."""
    all_of = list(verdicts.values())
    each = [one.verdict for one in all_of]
    text, real, whole = pa.string(), pa.float64(), pa.int64()
    return pa.table(
        {
            "portfolio_id": pa.array([REFERENCE] * len(each), text),
            "model": pa.array(list(verdicts), text),
            "confidence": pa.array([risk.var_confidence] * len(each), real),
            "days": pa.array([one.days for one in each], whole),
            "exceptions": pa.array([one.exceptions for one in each], whole),
            "expected_exceptions": pa.array([one.expected for one in each], real),
            "kupiec_statistic": pa.array([one.kupiec.statistic for one in each], real),
            "kupiec_p": pa.array([one.kupiec.p_value for one in each], real),
            "independence_statistic": pa.array([one.independence.statistic for one in each], real),
            "independence_p": pa.array([one.independence.p_value for one in each], real),
            "conditional_coverage_statistic": pa.array(
                [one.conditional_coverage.statistic for one in each], real
            ),
            "conditional_coverage_p": pa.array([one.conditional_coverage.p_value for one in each], real),
            "basel_zone": pa.array([one.recent_zone for one in each], text),
            "basel_multiplier": pa.array([one.multiplier for one in each], real),
            "z2": pa.array([one.z2 for one in all_of], real),
            "z2_recent": pa.array([one.z2_recent for one in all_of], real),
            "passed": pa.array([one.passed for one in all_of], pa.bool_()),
            "reason": pa.array([one.reason for one in all_of], text),
            "decision": pa.array([one.decision for one in all_of], text),
        }
    )
