"""Invented decisions on models, for tests of who is champion."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from acceleray.governance.champion import features_contract

NAME = "spark_catalog.gold.signal_csv_x"
CONTRACT = features_contract(("momentum", "volatility"), 21)


def day(year: int) -> date:
    return date(year, 12, 31)


def decided(number: int, version: int, decision: str, since: int, **more: Any) -> dict[str, Any]:
    """Return a decision; a higher number was made later."""
    return {
        "run_id": f"run-{number}",
        "as_of": day(since),
        "source": "csv:x",
        "model_name": NAME,
        "model_version": version,
        "model_uri": f"models:/{NAME}/{version}",
        "decision": decision,
        "effective_from": day(since),
        "features_contract": CONTRACT,
        "rank_ic": 0.01 * version,
        "rank_ic_t": 2.0,
        "compared_with": None,
        "rank_ic_difference": None,
        "rank_ic_difference_t": None,
        "reason": "because",
        "decided_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        **more,
    }


PROMOTED = [decided(1, 1, "promoted", 2010), decided(2, 2, "refused", 2012), decided(3, 3, "promoted", 2015)]
