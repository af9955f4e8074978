"""The rows that keep what the out-of-sample days say about each model and portfolio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.quant.backtest import verdict
from acceleray.quant.shortfall_tests import acerbi_szekely_z2
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import WITHOUT_WINDOW
from acceleray.stages.backtest.book_verdict import BookVerdict
from acceleray.stages.backtest.judging import Judged
from acceleray.stages.backtest.records import HEADLINE, Record
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS, BACKTEST_WINDOWS
from acceleray.tables.contract import Table, run_columns


def forecast_rows(records: Sequence[Record], window: int, risk: Risk) -> pa.Table:
    """Return gold.backtest_forecasts at one of the windows, portfolio by portfolio and model by model."""
    parts = [_forecasts(each, window, risk) for each in records if each.days]
    return pa.concat_tables(parts) if parts else typed(BACKTEST_FORECASTS, ())


def _forecasts(record: Record, window: int, risk: Risk) -> pa.Table:
    models = len(record.models)
    var, threshold, shortfall = (record.forecasts[window, :, place].ravel() for place in range(3))
    realised = np.tile(record.losses, models)
    return pa.table(
        {
            "portfolio_id": pa.array([record.portfolio_id] * var.size, pa.string()),
            "model": np.repeat(record.models, len(record.days)),
            "confidence": np.full(var.size, risk.var_confidence),
            "date": pa.array([*record.days] * models, pa.date32()),
            "value_at_risk_pct_nav": 100.0 * var,
            "es_confidence": np.full(var.size, risk.es_confidence),
            "expected_shortfall_pct_nav": 100.0 * shortfall,
            "es_threshold_pct_nav": 100.0 * threshold,
            "loss_pct_nav": 100.0 * realised,
            "exception": realised > var,
            "covered_pct_gross": 100.0 * np.tile(record.covered, models),
        }
    )


def verdict_rows(found: BookVerdict, records: Sequence[Record], risk: Risk) -> pa.Table:
    """Return gold.backtest_verdicts: all models on the headline portfolio, the calibrated one on the others.

    The calibrated model's row of the headline portfolio gives the reason of the verdict on the book.
    """
    judged = [(found.portfolio_id, model, each) for model, each in found.models.items()]
    others = [name for name in found.portfolios if name != found.portfolio_id]
    judged += [(name, HEADLINE, found.portfolios[name]) for name in others]
    by_name = {each.portfolio_id: each for each in records}
    rows = []
    for name, model, each in judged:
        calibrated, headline = model == HEADLINE, name == found.portfolio_id
        row = {"portfolio_id": name, "model": model, "confidence": risk.var_confidence}
        row |= _verdict(each) | _said_of(by_name[name])
        row["headline"] = headline
        row["q_value"] = _number(found.q_values[name]) if calibrated else None
        row["reason"] = found.reason if calibrated and headline else each.reason
        rows.append(row)
    return typed(BACKTEST_VERDICTS, rows)


def _verdict(judged: Judged) -> dict[str, Any]:
    each, tests, law = judged.verdict, judged.tests, judged.law
    return {
        "days": each.days,
        "exceptions": each.exceptions,
        "expected_exceptions": each.expected,
        "kupiec_statistic": each.kupiec.statistic,
        "kupiec_p": each.kupiec.p_value,
        "independence_statistic": each.independence.statistic,
        "independence_p": each.independence.p_value,
        "conditional_coverage_statistic": each.conditional_coverage.statistic,
        "conditional_coverage_p": each.conditional_coverage.p_value,
        "basel_zone": each.recent_zone,
        "basel_multiplier": each.multiplier,
        "basel_zone_500": each.zone_500,
        "rate_low": tests.rate[0],
        "rate_high": tests.rate[1],
        "coverage_p": tests.coverage_p,
        "dynamic_quantile_statistic": tests.dynamic_quantile,
        "dynamic_quantile_p": tests.dynamic_quantile_p,
        "z2": tests.z2,
        "z2_recent": tests.z2_recent,
        "z2_critical": tests.z2_critical,
        "z2_p": tests.z2_p,
        "exceedance_residual": _number(tests.residual),
        "exceedance_p": _number(tests.residual_p),
        "exceedance_bootstrap_p": _number(tests.bootstrap_p),
        "smallest_adjusted_p": _number(tests.smallest_p),
        "window_d": law.window or None,
        "tail_nu": _number(law.nu),
        "passed": judged.passed,
        "decision": judged.decision,
    }


def _said_of(record: Record) -> dict[str, Any]:
    return {"covered_pct_gross": 100.0 * float(record.covered.min()), "left_out_d": record.left_out_d}


def window_rows(windows: Sequence[int], records: Sequence[Record], risk: Risk) -> pa.Table:
    """Return gold.backtest_windows: the classical tests of each model and portfolio at each look-back.

    A model without a window has no row.
    """
    rows = []
    for record in records:
        for window, of_window in zip(windows, record.forecasts, strict=True):
            for model, (var, threshold, shortfall) in zip(record.models, of_window, strict=True):
                if model in WITHOUT_WINDOW:
                    continue
                found = verdict(record.losses > var, risk.var_confidence)
                z2 = acerbi_szekely_z2(record.losses, threshold, shortfall, risk.es_confidence)
                row = {
                    "portfolio_id": record.portfolio_id,
                    "model": model,
                    "confidence": risk.var_confidence,
                    "window_d": window,
                    "days": found.days,
                    "exceptions": found.exceptions,
                    "expected_exceptions": found.expected,
                    "kupiec_p": found.kupiec.p_value,
                    "conditional_coverage_p": found.conditional_coverage.p_value,
                    "z2": z2,
                    "mean_value_at_risk_pct_nav": 100.0 * float(var.mean()),
                }
                rows.append(row)
    return typed(BACKTEST_WINDOWS, rows)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def typed(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows with the types that a table declares, less the columns of the run."""
    of_the_run = {column.name for column in run_columns()}
    fields = [field for field in table.arrow_schema if field.name not in of_the_run]
    return pa.table({field.name: pa.array([row[field.name] for row in rows], field.type) for field in fields})
