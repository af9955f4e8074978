"""What the out-of-sample days say about each model, and the rows that keep it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.backtest import Verdict, verdict
from acceleray.quant.null_record import NullLaw, NullRecords
from acceleray.quant.shortfall_tests import acerbi_szekely_z2
from acceleray.settings import Risk
from acceleray.settings.backtest import Backtest
from acceleray.stages.backtest.blocks import MODELS, WITHOUT_WINDOW
from acceleray.stages.backtest.gate import RecordTests, decide, tested
from acceleray.stages.book.book import REFERENCE
from acceleray.tables import BACKTEST_WINDOWS

# The model behind the simulated risk; the others are there to be compared with.
HEADLINE = MODELS[-1]
_WINDOW_COLUMNS = (
    "portfolio_id",
    "model",
    "confidence",
    "window_d",
    "days",
    "exceptions",
    "expected_exceptions",
    "kupiec_p",
    "conditional_coverage_p",
    "z2",
    "mean_value_at_risk_pct_nav",
)


@dataclass(frozen=True)
class Judged:
    """The verdict on one model: may it be used, why, and what was decided."""

    verdict: Verdict
    tests: RecordTests
    law: NullLaw
    passed: bool
    reason: str
    decision: str

    @property
    def z2(self) -> float:
        """Return Z2 of the expected shortfall over all days."""
        return self.tests.z2


def judged(
    losses: NDArray[np.float64],
    forecasts: NDArray[np.float64],
    risk: Risk,
    terms: Backtest,
    laws: Sequence[NullLaw],
    nulls: Mapping[str, NullRecords],
    seed: int,
) -> dict[str, Judged]:
    """Return the verdict on each model.

    Args:
        losses: realised, of shape (days,), as shares of NAV.
        forecasts: of shape (models, 3, days): value at risk, and value at risk and expected shortfall at the
            level of the latter.
        risk: the confidence levels.
        terms: of the gate.
        laws: one a model, behind its records.
        nulls: records of a right model, by the name of the model.
        seed: of the bootstrap.
    """
    found = {}
    for model, each, law in zip(MODELS, forecasts, laws, strict=True):
        result, tests = tested(losses, each, risk, nulls[model], terms.level, seed)
        passed, reason = decide(result, tests, terms)
        promoted = "promoted" if passed else "not promoted"
        decision = promoted if model == HEADLINE else "benchmark"
        found[model] = Judged(result, tests, law, passed, reason, decision)
    return found


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
    each, tests = [one.verdict for one in all_of], [one.tests for one in all_of]
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
            "basel_zone_500": pa.array([one.zone_500 for one in each], text),
            "rate_low": pa.array([one.rate[0] for one in tests], real),
            "rate_high": pa.array([one.rate[1] for one in tests], real),
            "coverage_p": pa.array([one.coverage_p for one in tests], real),
            "dynamic_quantile_statistic": pa.array([one.dynamic_quantile for one in tests], real),
            "dynamic_quantile_p": pa.array([one.dynamic_quantile_p for one in tests], real),
            "z2": pa.array([one.z2 for one in tests], real),
            "z2_recent": pa.array([one.z2_recent for one in tests], real),
            "z2_critical": pa.array([one.z2_critical for one in tests], real),
            "z2_p": pa.array([one.z2_p for one in tests], real),
            "exceedance_residual": _known(one.residual for one in tests),
            "exceedance_p": _known(one.residual_p for one in tests),
            "exceedance_bootstrap_p": _known(one.bootstrap_p for one in tests),
            "smallest_adjusted_p": _known(
                min((p for p in one.adjusted.values() if p == p), default=math.nan) for one in tests
            ),
            "window_d": pa.array([one.law.window or None for one in all_of], whole),
            "tail_nu": pa.array([None if math.isinf(one.law.nu) else one.law.nu for one in all_of], real),
            "passed": pa.array([one.passed for one in all_of], pa.bool_()),
            "reason": pa.array([one.reason for one in all_of], text),
            "decision": pa.array([one.decision for one in all_of], text),
        }
    )


def window_rows(
    windows: Sequence[int], losses: NDArray[np.float64], forecasts: NDArray[np.float64], risk: Risk
) -> pa.Table:
    """Return gold.backtest_windows: the classical tests of each model at each look-back.

    Losses are of shape (days,), forecasts (windows, models, 3, days); a model without a window has no row.
    """
    columns: dict[str, list[object]] = {name: [] for name in _WINDOW_COLUMNS}
    for window, of_window in zip(windows, forecasts, strict=True):
        for model, (var, threshold, shortfall) in zip(MODELS, of_window, strict=True):
            if model in WITHOUT_WINDOW:
                continue
            found = verdict(losses > var, risk.var_confidence)
            row = (
                REFERENCE,
                model,
                risk.var_confidence,
                window,
                found.days,
                found.exceptions,
                found.expected,
                found.kupiec.p_value,
                found.conditional_coverage.p_value,
                acerbi_szekely_z2(losses, threshold, shortfall, risk.es_confidence),
                100.0 * float(var.mean()),
            )
            for name, value in zip(_WINDOW_COLUMNS, row, strict=True):
                columns[name].append(value)
    types = {field.name: field.type for field in BACKTEST_WINDOWS.arrow_schema}
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def _known(values: Iterable[float]) -> pa.Array:
    return pa.array([value if math.isfinite(value) else None for value in values], pa.float64())
