"""Which received prices are accepted, and why the others are not."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Between these bounds one day's return is always a finite number above -1; prices beyond them are typing
# errors or the wrong unit, whatever the currency.
SMALLEST = 1e-6
LARGEST = 1e9

_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_INFINITE = r"(?i)^[+-]?(inf|infinity|∞)$"


def judge(cells: DataFrame) -> DataFrame:
    """Return instrument_id, date, price_text, price and reason of every received cell.

    Of price and reason exactly one is NULL. Text must be a plain decimal number (a sign, digits, a decimal
    point, an exponent): a price with a thousands separator or a currency sign is not guessed at.
    """
    text = F.trim("price_text")
    number = F.when(text.rlike(_NUMBER), F.expr("try_cast(trim(price_text) AS DOUBLE)"))
    reason = (
        F.when(F.col("number").isNull(), F.when(text.rlike(_INFINITE), "infinite").otherwise("not a number"))
        .when(F.abs("number") == float("inf"), "infinite")
        .when(F.col("number") < 0, "negative")
        .when(F.col("number") == 0, "zero")
        .when(F.col("number") < SMALLEST, "smaller than 0.000001")
        .when(F.col("number") > LARGEST, "larger than 1000000000")
    )
    judged = cells.withColumn("number", number).withColumn("reason", reason)
    accepted = F.when(F.col("reason").isNull(), F.col("number"))
    return judged.select("instrument_id", "date", "price_text", accepted.alias("price"), "reason")
