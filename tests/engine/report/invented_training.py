"""An invented training run."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from acceleray import tables as t
from acceleray.stages.features.definitions import FEATURE_NAMES
from report.invented_rows import AS_OF, KEYS, Rows

PARAMETERS = {"device": "cpu", "rounds": 100, "max_depth": 3, "learning_rate": 0.05}


def training() -> Rows:
    """Return the rows of a run that trained version 7, which the gate promoted."""
    rows = Rows({table.label: [] for table in t.ALL})
    for fold, rank_ic in enumerate((0.03, -0.01, 0.05), start=1):
        rows[t.SIGNAL_VALIDATION].append(
            KEYS
            | {
                "fold": fold,
                "train_first": date(1990, 1, 2),
                "train_last": date(2000 + 5 * fold, 1, 3),
                "test_first": date(2000 + 5 * fold, 2, 14),
                "test_last": date(2005 + 5 * fold, 2, 14),
                "train_rows": 50_000 * fold,
                "test_rows": 25_000,
                "rank_ic": rank_ic,
                "rank_ic_t": 100 * rank_ic,
                "r2_out_of_sample": 0.01 * fold,
                "quantile_spread": 0.01,
                "turnover": 0.5,
                "net_spread": 0.008,
            }
        )
    for target, rank_ic in (("volatility_scaled", 0.02), ("rank", 0.0233), ("residual", 0.011)):
        found = {"target": target, "gated": target == "rank", "dates": 4000, "rank_ic": rank_ic}
        rows[t.SIGNAL_TARGETS].append(KEYS | found | {"rank_ic_t": 2.1, "rank_ic_lower": rank_ic - 0.02})
    rows[t.TRAINING].append(
        KEYS
        | {
            "rows": 165_358,
            "features": len(FEATURE_NAMES),
            "matrix_mb": 9.26,
            "first_date": date(1990, 1, 2),
            "last_date": date(2022, 11, 28),
            "rounds": 100,
            "shards": 2,
            "parameters_from": "model",
            "parameters_json": json.dumps(PARAMETERS),
            "single_process_difference": 0.0,
            "content_sha256": "ab" * 32,
            "model_uri": "models:/spark_catalog.gold.signal_csv_x/7",
            "fit_s": 8.0,
            "single_process_s": 1.3,
            "resumed_from": 0,
        }
    )
    for position, feature in enumerate(FEATURE_NAMES, start=1):
        gain = 2.0 * position / (len(FEATURE_NAMES) * (len(FEATURE_NAMES) + 1))
        rows[t.FEATURE_IMPORTANCE].append(
            KEYS | {"position": position, "feature": feature, "gain": gain, "splits": position}
        )
    rows[t.MODEL_DECISIONS].append(
        KEYS
        | {
            "source": "csv:prices",
            "model_name": "spark_catalog.gold.signal_csv_x",
            "model_version": 7,
            "model_uri": "models:/spark_catalog.gold.signal_csv_x/7",
            "decision": "promoted",
            "effective_from": AS_OF,
            "features_contract": "cd" * 32,
            "rank_ic": 0.0233,
            "rank_ic_t": 2.1,
            "rank_ic_lower": 0.0041,
            "unseen_from": None,
            "compared_with": None,
            "rank_ic_difference": None,
            "rank_ic_difference_t": None,
            "rank_ic_difference_lower": None,
            "reason": "mean rank IC 0.0233 is above 0",
            "decided_at": datetime(2022, 12, 29, 6, 20, tzinfo=UTC),
        }
    )
    return rows
