"""Instruments: the wanted rows go to Ray, scores come back, and rows in are rows out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import functions as F

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import as_date, column
from acceleray.engines.spark.caching import kept
from acceleray.errors import PortfolioError
from acceleray.governance.registry import RegisteredModel
from acceleray.quant.boosting import predict, restored
from acceleray.runtime.run import Run
from acceleray.stages.score.eligibility import HIGHEST, LOWEST, Window, quarantined, wanted
from acceleray.tables import PREDICTIONS, PREDICTIONS_QUARANTINED

# Rows that a task turns into a matrix at once.
_TOGETHER = 65_536


@dataclass(frozen=True)
class Counts:
    """Rows that came in, and what became of them."""

    rows_in: int
    scored: int
    quarantined: int

    def __str__(self) -> str:
        """Return the sum in words."""
        came = counted(self.rows_in, "row")
        return f"{came} in = {self.scored:,} scored + {self.quarantined:,} quarantined"


def score_instruments(run: Run, model: RegisteredModel, dates: NDArray[np.datetime64]) -> Counts:
    """Score the rows of the last `score.history_d` dates, quarantine what cannot be, and commit both.

    Args:
        run: what is read and written.
        model: the signal model; it knows the features of this project.
        dates: trading days up to the as-of date, ascending.

    Raises:
        PortfolioError: not every row that came in was scored or quarantined.
    """
    window, names = window_of(run, dates), run.project.feature_names()
    with kept(wanted(run, window), run.settings) as plan:
        chosen = plan.where("since IS NOT NULL").select("instrument_id", "since", "feature_rows").toArrow()
        chosen = chosen.sort_by("instrument_id").combine_chunks()
        without = plan.where("since IS NULL").count()
        least = min(chosen.column("since").to_pylist(), default=window.last)
        scored = run.transform(
            run.project.features_table(),
            ("instrument_id", "date", *names),
            score_rows,
            PREDICTIONS,
            shared=(model.content, chosen.select(["instrument_id", "since"])),
            # Tasks choose the rows themselves; this spares them those of dates that nobody wants.
            narrow=lambda rows: rows.where(F.col("date").between(F.lit(least), F.lit(window.last))),
            names=names,
            model_uri=model.uri,
            last=window.last,
        )
        rows = quarantined(run, plan, window, least)
        constants = {"run_id": run.identity.run_id, "as_of": run.as_of}
        left = run.commit(
            PREDICTIONS_QUARANTINED, rows.withColumns({k: F.lit(v) for k, v in constants.items()})
        )
    rows_in = int(pc.sum(chosen.column("feature_rows")).as_py() or 0) + without
    counts = Counts(rows_in, scored.rows, left.rows)
    if counts.rows_in != counts.scored + counts.quarantined:
        raise PortfolioError(
            f"Scoring lost rows: {counts.rows_in:,} in, but {counts.scored:,} scored and"
            f" {counts.quarantined:,} quarantined; do not use these scores; run again."
        )
    return counts


def without_scores(run: Run) -> Counts:
    """Commit that nothing was scored."""
    for table in (PREDICTIONS, PREDICTIONS_QUARANTINED):
        run.commit(table, table.arrow_schema.empty_table())
    return Counts(0, 0, 0)


def window_of(run: Run, dates: NDArray[np.datetime64]) -> Window:
    """Return the dates to score: the last `score.history_d` of `dates`, which end at the as-of date."""
    settings = run.settings
    last = len(dates) - 1
    return Window(
        first=as_date(dates[max(0, last + 1 - settings.score.history_d)]),
        oldest=as_date(dates[max(0, last - settings.market_data.stale_after_d)]),
        last=run.as_of,
        stale_after_d=settings.market_data.stale_after_d,
    )


def score_rows(
    rows: pa.Table, model: bytes, chosen: pa.Table, names: Sequence[str], model_uri: str, last: object
) -> pa.Table:
    """Return instrument, feature date, score and model of each wanted row that obeys the contract.

    `chosen` has instruments and the date from which on each is wanted, up to `last`; `names` are those of
    the features.
    """
    place = pc.index_in(rows.column("instrument_id"), chosen.column("instrument_id").combine_chunks())
    since, dates = chosen.column("since").take(place), rows.column("date")
    upto = pa.scalar(last, pa.date32())
    # A comparison with no date at all is NULL, and such a row is left out.
    rows = rows.filter(pc.and_(pc.greater_equal(dates, since), pc.less_equal(dates, upto)))
    booster = restored(model)
    kept, scores = [], [np.zeros(0)]
    for start in range(0, len(rows), _TOGETHER):
        some = rows.slice(start, _TOGETHER)
        features = np.column_stack([column(some, name) for name in names])
        whole = ~((features < LOWEST) | (features > HIGHEST)).any(axis=1)
        kept.append(some.select(["instrument_id", "date"]).filter(pa.array(whole)))
        scores.append(predict(booster, features[whole], names))
    none = rows.select(["instrument_id", "date"]).slice(0, 0)
    found = pa.concat_tables([none, *kept])
    return pa.table(
        {
            "instrument_id": found.column("instrument_id"),
            "feature_date": found.column("date"),
            "score": np.concatenate(scores),
            "model_uri": pa.repeat(model_uri, len(found)),
        }
    )
