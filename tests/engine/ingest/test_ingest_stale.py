"""Prices that stand still: quarantined from the day they are noticed, judged by the past alone."""

from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from acceleray.stages.ingest.quality import judge

FIRST = date(2024, 1, 1)


def reasons(spark: Any, prices: dict[str, list[str]], stale_price_d: int) -> dict[str, list[int]]:
    """Return, for each instrument, the positions of the prices that were not accepted."""
    rows = [
        {"instrument_id": name, "date": FIRST + timedelta(days=place), "price_text": text}
        for name, texts in prices.items()
        for place, text in enumerate(texts)
    ]
    judged = judge(spark.createDataFrame(pa.Table.from_pylist(rows)), stale_price_d)
    found: dict[str, list[int]] = {name: [] for name in prices}
    for row in judged.where("reason IS NOT NULL").orderBy("date").collect():
        found[row["instrument_id"]].append((row["date"] - FIRST).days)
    return found


def test_a_price_is_quarantined_once_it_has_repeated_for_too_long_and_not_before(spark: Any) -> None:
    found = reasons(
        spark,
        {
            "still": ["5", "7", "7", "7", "7", "7", "7", "8"],
            "at the limit": ["7", "7", "7", "7", "8", "8", "8", "8"],
            "comes back": ["7", "7", "8", "7", "7", "8", "7", "7"],
            "written otherwise": ["7", "7.0", "7.00", "70e-1", "7", "+7", "7", "8"],
        },
        stale_price_d=3,
    )
    assert found == {"still": [5, 6], "at the limit": [], "comes back": [], "written otherwise": [4, 5, 6]}


def test_an_unusable_price_neither_breaks_nor_lengthens_a_run(spark: Any) -> None:
    found = reasons(spark, {"A": ["7", "7", "-1", "7", "7", "7", "7"]}, stale_price_d=3)
    assert found == {"A": [2, 5, 6]}


def test_later_prices_change_no_judgement_on_earlier_ones(spark: Any) -> None:
    series = ["7", "7", "7", "7", "7", "7", "9", "9", "9", "9", "9"]
    whole = reasons(spark, {"A": series}, stale_price_d=2)["A"]
    for length in range(1, len(series)):
        known = reasons(spark, {"A": series[:length]}, stale_price_d=2)["A"]
        assert known == [day for day in whole if day < length]
