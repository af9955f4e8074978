"""An invented search: trials with curves, evidence, and checks for leakage."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np

from acceleray import tables as t
from report.invented_rows import AS_OF, KEYS, Rows

FEATURES = ("momentum_12_1", "reversal_1m", "volatility_3m")


def search(trials: int = 12, failed: int = 1, chosen: bool = True) -> Rows:
    """Return the rows of a run: the deeper and slower a trial learns, the better; one in three is stopped."""
    draws = np.random.default_rng(3)
    rows = Rows({table.label: [] for table in t.ALL})
    for number in range(1, trials + 1):
        depth, rate = int(draws.integers(1, 7)), float(np.exp(draws.uniform(math.log(0.01), math.log(0.3))))
        best = 0.004 * depth - 0.01 * rate + float(draws.normal(0, 0.0005))
        spent = 30 if number % 3 == 0 else 100
        broke = number > trials - failed
        row: dict[str, Any] = KEYS | {
            "trial": number,
            "proposed_by": "settings" if number == 1 else "optuna",
            "status": "failed" if broke else "stopped" if spent < 100 else "completed",
            "chosen": False,
            "rounds": None if broke else 20,
            "rounds_spent": 10 if broke else spent,
            "max_depth": depth,
            "learning_rate": rate,
            "min_child_weight": float(draws.uniform(1, 2000)),
            "subsample": 1.0,
            "colsample": float(draws.uniform(0.3, 1)),
            "reg_lambda": float(draws.uniform(0.1, 100)),
            "rank_ic": None if broke else best,
            "rank_ic_t": None if broke else 100 * best,
            "sharpe": None if broke else 10 * best,
            "reason": "ValueError: <broken>"
            if broke
            else None
            if spent == 100
            else "no better for 60 rounds",
        }
        rows[t.TRIALS].append(row)
        for rounds in range(10, row["rounds_spent"] + 1, 10):
            value = best - abs(rounds - 20) / 10_000
            rows[t.TRIAL_PROGRESS].append(KEYS | {"trial": number, "rounds": rounds, "rank_ic": value})
    usable = [row for row in rows[t.TRIALS] if row["status"] != "failed"]
    best_row = max(usable, key=lambda row: row["rank_ic"])
    best_row["chosen"] = chosen
    _evidence(rows, best_row)
    for name in FEATURES:
        for check, value in (("rank_ic", 0.021), ("next_day_rank_ic", -0.004)):
            check_row(rows, name, check, value)
    for check, value in (("validation_rank_ic", best_row["rank_ic"]), ("holdout_rank_ic", 0.0187)):
        check_row(rows, "chosen model", check, value)
    return rows


def check_row(rows: Rows, subject: str, check: str, value: float, suspected: bool = False) -> None:
    """Add one check for leakage."""
    reason = "leakage until proven otherwise" if suspected else "within 0.1"
    found = {"subject": subject, "check_name": check, "value": value, "maximum": 0.1}
    rows[t.LEAKAGE_CHECKS].append(KEYS | found | {"suspected": suspected, "reason": reason})


def _evidence(rows: Rows, best: dict[str, Any]) -> None:
    status = [row["status"] for row in rows[t.TRIALS]]
    rows[t.TUNING_EVIDENCE].append(
        KEYS
        | {
            "trials": len(status),
            "completed": status.count("completed"),
            "stopped": status.count("stopped"),
            "failed": status.count("failed"),
            "rounds_spent": sum(row["rounds_spent"] for row in rows[t.TRIALS]),
            "rounds_full": 100 * len(status),
            "validation_rank_ic": best["rank_ic"],
            "holdout_first": date(2018, 12, 10),
            "holdout_last": AS_OF,
            "holdout_rank_ic": 0.0187,
            "holdout_rank_ic_t": 2.4,
            "holdout_rank_ic_p": 0.024,
            "searched_last": date(2018, 11, 1),
            "tried": 1100,
            "tried_before": 2300,
            "periods": 297,
            "sharpe": best["sharpe"],
            "expected_maximum_sharpe": 0.0757,
            "deflated_sharpe": 0.971,
            "overfitting": 0.125,
            "overfitting_blocks": 16,
            "finding": "found",
            "verdict": "found: holdout rank IC 0.019 (t 2.4)",
        }
    )
