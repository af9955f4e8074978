"""Invented signals, ranked: one of each decision at each of two horizons, and what surrounds them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from acceleray import tables as t
from report.invented_rows import KEYS, Rows, weekdays

DECISIONS = ("use", "watch", "suspect", "reject")
HORIZONS_D = (5, 21)


def signals(
    decisions: tuple[str, ...] = DECISIONS, source: str = "csv:prices", names: tuple[str, ...] = ()
) -> Rows:
    """Return a run that decided so on its signals, one for each decision, in that order."""
    rows = Rows({table.label: [] for table in t.ALL})
    names = names or tuple(f"signal_{place}" for place in range(len(decisions)))
    draws = np.random.default_rng(20_260_101)
    cases = [
        (name, decision, horizon_d)
        for name, decision in zip(names, decisions, strict=True)
        for horizon_d in HORIZONS_D
    ]
    for position, (name, decision, horizon_d) in enumerate(cases, 1):
        rows[t.SIGNAL_RANKS].append(_rank(position, name, decision, horizon_d))
        for year in range(2018, 2023):
            span = KEYS | {"signal_id": name, "horizon_d": horizon_d, "year": year, "dates": 250}
            rows[t.SIGNAL_YEARS].append(span | {"rank_ic": float(draws.normal(0, 0.05))})
    for place, name in enumerate(names):
        for ahead_d in (1, 2, 5, 10, 21, 42):
            ahead = {"signal_id": name, "ahead_d": ahead_d, "rank_ic": 0.02 * 0.5 ** (ahead_d / 9)}
            rows[t.SIGNAL_DECAY].append(KEYS | ahead)
        for other in names[place + 1 :]:
            pair = {"signal_id": name, "other_signal_id": other, "rank_correlation": 0.4}
            rows[t.SIGNAL_CORRELATIONS].append(KEYS | pair)
    _around(rows, source)
    return rows


def _rank(position: int, name: str, decision: str, horizon_d: int) -> dict[str, Any]:
    strong = decision != "reject"
    return KEYS | {
        "signal_id": name,
        "horizon_d": horizon_d,
        "position": position,
        "decision": decision,
        "reason": f"The reason for {decision} at {horizon_d} days.",
        "direction": 1 if position % 2 else -1,
        "dates": 1234,
        "rank_ic": 0.031 if strong else 0.004,
        "rank_ic_low": 0.012 if strong else -0.011,
        "rank_ic_high": 0.05 if strong else 0.019,
        "icir": 0.61,
        "t_newey_west": 4.2 if strong else 0.8,
        "p_value": 0.0002 if strong else 0.42,
        "q_benjamini_hochberg": 0.0016 if strong else 0.42,
        "q_benjamini_yekutieli": 0.0043 if strong else 1.0,
        "half_life_d": 9.0,
        "quantile_spread": 0.0021,
        "turnover": 0.31,
        "net_information_ratio": 0.44,
        "marginal_rank_ic": 0.027,
        "marginal_t": 3.1,
    }


def _around(rows: Rows, source: str) -> None:
    """Add prices, and what the run says of itself."""
    for name in ("AAA", "BBB", "CCC"):
        for day in weekdays(20):
            quote = {"source": source, "instrument_id": name, "date": day, "load_id": "ab" * 32}
            loaded = {"loaded_at": datetime(2022, 12, 29, 6, tzinfo=UTC)}
            rows[t.PRICES_RECEIVED].append(quote | loaded | {"price_text": "12.50"})
            rows[t.PRICES].append(quote | {"price": 12.5})
    rows[t.RUNS].append(
        KEYS
        | {
            "workload": "investment_signal_prioritization",
            "source": source,
            "load_id": "ab" * 32,
            "seed": 20_260_101,
            "code_version": "cd" * 32,
            "settings_json": "{}",
            "model_uri": "",
            "mlflow_run_id": "0123456789abcdef",
            "finished_at": datetime(2022, 12, 29, 6, 30, tzinfo=UTC),
        }
    )
    touched = {"stage": "signals", "direction": "wrote", "table_name": t.SIGNAL_RANKS.label, "version": 3}
    rows[t.RUN_TABLES].append(KEYS | touched | {"row_count": 8, "fingerprint": "ef" * 32})
