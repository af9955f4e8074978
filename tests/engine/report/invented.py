"""Rows of an invented run that obey the table contracts; plausible, seeded, and clearly test data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from acceleray import tables as t
from report import invented_fits, invented_scenarios
from report.invented_rows import AS_OF, KEYS, Rows, weekdays

LOADED = datetime(2022, 12, 29, 6, tzinfo=UTC)
MODELS = (
    "historical_simulation",
    "ewma_normal",
    "filtered_historical_ewma",
    "filtered_historical_calibrated",
)


def invented(
    names: list[str], portfolios: int = 12, days: int = 700, rejected: dict[str, str] | None = None
) -> Rows:
    """Return a complete run: `names` are instruments, `rejected` some of them with the reason."""
    rejected = rejected or {}
    draws = np.random.default_rng(20_260_101)
    fitted = [name for name in names if name not in rejected]
    tables: dict[str, list[dict[str, Any]]] = {table.label: [] for table in t.ALL}
    rows = Rows(tables)
    calendar = weekdays(days)
    _book(rows, portfolios, draws)
    _risk(rows, fitted, portfolios, draws)
    invented_scenarios.fill(rows, fitted, portfolios, draws)
    _backtest(rows, calendar, draws)
    _models(rows, names, rejected, draws)
    _prices(rows, names, calendar[:20])
    rows[t.RUNS].append(
        KEYS
        | {
            "workload": "end_to_end_pipeline",
            "source": "csv:prices.csv",
            "load_id": "ab" * 32,
            "seed": 20_260_101,
            "code_version": "cd" * 32,
            "settings_json": "{}",
            "model_uri": "models:/tests/7",
            "mlflow_run_id": "0123456789abcdef",
            "finished_at": datetime(2022, 12, 29, 6, 30, tzinfo=UTC),
        }
    )
    for stage, direction, table in (
        ("simulate", "wrote", t.RISK_MEASURES),
        ("ingest", "wrote", t.PRICES),
        ("simulate", "read", t.RETURNS),
    ):
        print_of_rows = "ef" * 32 if direction == "wrote" else ""
        touched = {"stage": stage, "direction": direction, "table_name": table.label, "version": 41}
        rows[t.RUN_TABLES].append(KEYS | touched | {"row_count": 1234, "fingerprint": print_of_rows})
    return rows


def _book(rows: Rows, portfolios: int, draws: np.random.Generator) -> None:
    for number in range(portfolios):
        reference = number == 0
        identity = KEYS | {"portfolio_id": "REFERENCE" if reference else f"SIM-{number:06d}"}
        name = "Equal-weight reference" if reference else f"Simulated portfolio {number}"
        origin = "reference" if reference else "simulated"
        place = len(rows[t.PORTFOLIOS])
        own = {"name": name, "origin": origin, "nav": 1e6, "currency": "EUR", "place": place}
        rows[t.PORTFOLIOS].append(identity | own)
        risk = 2.5 if reference else float(draws.uniform(1.5, 6.0))
        rows[t.PORTFOLIO_SCORES].append(
            identity
            | {
                "expected_score": float(draws.normal(0, 0.02)),
                "volatility_1d_pct_nav": risk / 2.5,
                "var_pct_nav": risk,
                "es_pct_nav": risk * 1.01,
                "horizon_d": 1,
                "unpriced_pct_nav": 0.0,
                "unscored_pct_nav": 0.0,
                "model_uri": "models:/tests/7",
            }
        )


def _risk(rows: Rows, names: list[str], portfolios: int, draws: np.random.Generator) -> None:
    for horizon_d, scale in ((1, 1.0), (10, 3.0)):
        span = KEYS | {"horizon_d": horizon_d, "method": "filtered_historical"}
        # One day is enumerated: every residual day once.
        count = 2500 if horizon_d == 1 else 10_000
        simulated = {"scenarios": count, "seed": 20_260_101, "instruments": len(names)}
        window = {"residual_first": date(2013, 1, 2), "residual_last": AS_OF, "residual_days": 2500}
        rows[t.SCENARIO_SETS].append(span | simulated | window)
        for number in range(portfolios):
            identity = span | {"portfolio_id": "REFERENCE" if number == 0 else f"SIM-{number:06d}"}
            for measure, confidence, value in (
                ("value_at_risk", 0.99, 25_312.4),
                ("expected_shortfall", 0.975, 26_078.6),
            ):
                numbers = {
                    "value": value * scale,
                    "value_pct_nav": value * scale / 1e4,
                    "standard_error": 212.0,
                    "error_of": "window" if horizon_d == 1 else "draws",
                }
                chosen = {"measure": measure, "confidence": confidence, "currency": "EUR"}
                rows[t.RISK_MEASURES].append(identity | chosen | numbers)
        reference = span | {"portfolio_id": "REFERENCE"}
        edges = np.linspace(-6, 8, 41) * scale
        counts = np.histogram(draws.standard_t(5, 10_000) * scale, edges)[0]
        for place, scenarios in enumerate(counts):
            bounds = {"loss_from_pct_nav": float(edges[place]), "loss_to_pct_nav": float(edges[place + 1])}
            rows[t.LOSS_DISTRIBUTION].append(reference | bounds | {"bin": place, "scenarios": int(scenarios)})
        parts = np.sort(draws.uniform(0.2, 1.0, len(names)))[::-1]
        parts = parts * scale / max(parts.sum(), 1e-9)
        for measure, confidence, whole in (
            ("expected_shortfall", 0.975, 26_078.6),
            ("value_at_risk", 0.99, 25_312.4),
        ):
            chosen = {"measure": measure, "confidence": confidence, "currency": "EUR"}
            for name, part in zip(names, parts, strict=True):
                rows[t.RISK_CONTRIBUTIONS].append(
                    reference | chosen | {"instrument_id": name, "contribution": float(part * whole)}
                )


def _backtest(rows: Rows, calendar: list[date], draws: np.random.Generator) -> None:
    losses = draws.standard_t(5, len(calendar)) * 0.9
    for place, model in enumerate(MODELS):
        forecast = 2.2 + 0.3 * place
        identity = KEYS | {"portfolio_id": "REFERENCE", "model": model, "confidence": 0.99}
        hits = losses > forecast
        for day, loss, hit in zip(calendar, losses, hits, strict=True):
            outcome = {"loss_pct_nav": float(loss), "exception": bool(hit), "es_confidence": 0.975}
            outcome |= {"expected_shortfall_pct_nav": forecast * 1.1, "es_threshold_pct_nav": forecast * 0.95}
            rows[t.BACKTEST_FORECASTS].append(
                identity | outcome | {"date": day, "value_at_risk_pct_nav": forecast}
            )
        passed = place > 1
        if place == 0:
            rows[t.BACKTEST_HORIZONS].append(record_of("filtered_historical", 10, 8, 731, 0.801))
        rows[t.BACKTEST_VERDICTS].append(
            identity
            | {
                "days": len(calendar),
                "exceptions": int(hits.sum()),
                "expected_exceptions": 0.01 * len(calendar),
                "kupiec_statistic": 1.0,
                "kupiec_p": 0.317 if passed else 0.00004,
                "independence_statistic": 0.1,
                "independence_p": 0.752,
                "conditional_coverage_statistic": 1.1,
                "conditional_coverage_p": 0.577 if passed else 0.0002,
                "basel_zone": "green" if passed else "red",
                "basel_multiplier": 1.5 if passed else 2.0,
                "basel_zone_500": "green" if passed else "yellow",
                "rate_low": 0.8 if passed else 1.4,
                "rate_high": 1.3 if passed else 2.1,
                "coverage_p": 0.41 if passed else 0.001,
                "dynamic_quantile_statistic": 4.0,
                "dynamic_quantile_p": 0.62 if passed else 0.002,
                "z2": -0.05 if passed else -0.9,
                "z2_recent": 0.31 if passed else -1.24,
                "z2_critical": -0.21,
                "z2_p": 0.33 if passed else 0.001,
                "exceedance_residual": 0.4,
                "exceedance_p": 0.27,
                "exceedance_bootstrap_p": 0.35,
                "smallest_adjusted_p": 0.9 if passed else 0.004,
                "window_d": None if model == "ewma_normal" else 2000,
                "tail_nu": 5.0,
                "decision": "promoted" if place == len(MODELS) - 1 else "benchmark",
                "passed": passed,
                "reason": "agrees with what was expected" if passed else "more exceptions than expected",
            }
        )


def record_of(method: str, horizon_d: int, exceptions: int, windows: int, p: float) -> dict[str, Any]:
    """Return a row of gold.backtest_horizons."""
    key = {"portfolio_id": "REFERENCE", "method": method, "horizon_d": horizon_d, "confidence": 0.99}
    counts = {
        "offsets": 1,
        "windows": windows,
        "exceptions": exceptions,
        "expected_exceptions": windows / 100,
    }
    return KEYS | key | counts | {"kupiec_p": p, "rate_low": 0.0047, "rate_high": 0.0214}


def _models(rows: Rows, names: list[str], rejected: dict[str, str], draws: np.random.Generator) -> None:
    invented_fits.fill(rows, names, rejected, draws)
    for name in names:
        if name not in rejected:
            scored = {"instrument_id": name, "feature_date": AS_OF, "score": float(draws.normal(0, 0.05))}
            scored["model_uri"] = "models:/spark_catalog.gold.signal/3"
            rows[t.PREDICTIONS].append(KEYS | scored)
    for fold in range(1, 4):
        windows = {
            "train_first": date(2000, 1, 3),
            "train_last": date(2005 + 4 * fold, 1, 3),
            "test_first": date(2005 + 4 * fold, 3, 1),
            "test_last": date(2009 + 4 * fold, 2, 27),
        }
        evidence = {"rank_ic": 0.01 * fold, "rank_ic_t": 0.4 * fold, "r2_out_of_sample": -0.001}
        size = {"fold": fold, "train_rows": 10_000 * fold, "test_rows": 9_000}
        rows[t.SIGNAL_VALIDATION].append(KEYS | windows | evidence | size)


def _prices(rows: Rows, names: list[str], calendar: list[date]) -> None:
    for name in names:
        for day in calendar:
            quote = {"source": "csv:prices.csv", "instrument_id": name, "date": day, "load_id": "ab" * 32}
            rows[t.PRICES_RECEIVED].append(quote | {"price_text": "12.50", "loaded_at": LOADED})
            rows[t.PRICES].append(quote | {"price": 12.5})


def quarantine(rows: Rows, name: str, day: date, text: str, reason: str) -> None:
    """Move one received price from accepted to quarantined."""
    kept = [row for row in rows[t.PRICES] if (row["instrument_id"], row["date"]) != (name, day)]
    assert len(kept) == len(rows[t.PRICES]) - 1
    rows.tables[t.PRICES.label] = kept
    quote = {"source": "csv:prices.csv", "instrument_id": name, "date": day, "load_id": "ab" * 32}
    rows[t.PRICES_QUARANTINED].append(quote | {"price_text": text, "reason": reason})
