"""Which received prices are accepted, and why the others are not."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

# Between these bounds one day's return is always a finite number above -1; prices beyond them are typing
# errors or the wrong unit, whatever the currency.
SMALLEST = 1e-6
LARGEST = 1e9

PLAIN_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_INFINITE = r"(?i)^[+-]?(inf|infinity|∞)$"


def judge(cells: DataFrame, stale_price_d: int) -> DataFrame:
    """Return instrument_id, date, price_text, price and reason of every received cell.

    Of price and reason exactly one is NULL. Text must be a plain decimal number (a sign, digits, a decimal
    point, an exponent): a price with a thousands separator or a currency sign is not guessed at. A price that
    repeats the one before it for more than `stale_price_d` prices running is stale from there on; only the
    past decides that, so no day is judged by later ones.
    """
    text = F.trim("price_text")
    number = F.when(text.rlike(PLAIN_NUMBER), F.expr("try_cast(trim(price_text) AS DOUBLE)"))
    reason = (
        F.when(F.col("number").isNull(), F.when(text.rlike(_INFINITE), "infinite").otherwise("not a number"))
        .when(F.abs("number") == float("inf"), "infinite")
        .when(F.col("number") < 0, "negative")
        .when(F.col("number") == 0, "zero")
        .when(F.col("number") < SMALLEST, "smaller than 0.000001")
        .when(F.col("number") > LARGEST, "larger than 1000000000")
    )
    judged = cells.withColumn("number", number).withColumn("unusable", reason)
    usable = F.when(F.col("unusable").isNull(), F.col("number"))
    judged = judged.withColumn("usable", usable).withColumn("change", _changed())
    repeats = F.count("usable").over(Window.partitionBy("instrument_id", "changes").orderBy("date")) - 1
    still = F.col("usable").isNotNull() & (repeats > stale_price_d)
    stale = F.when(still, f"unchanged for more than {stale_price_d} prices")
    judged = judged.withColumn("changes", F.sum("change").over(_past(0)))
    judged = judged.withColumn("reason", F.coalesce("unusable", stale))
    accepted = F.when(F.col("reason").isNull(), F.col("usable"))
    return judged.select("instrument_id", "date", "price_text", accepted.alias("price"), "reason")


def _changed() -> Column:
    before = F.last("usable", ignorenulls=True).over(_past(-1))
    first = before.isNull()
    return F.when(F.col("usable").isNotNull() & (first | (F.col("usable") != before)), 1).otherwise(0)


def _past(last: int) -> WindowSpec:
    window = Window.partitionBy("instrument_id").orderBy("date")
    return window.rowsBetween(Window.unboundedPreceding, last)
