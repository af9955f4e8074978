"""Change since the last report: VaR and expected shortfall, split by swapping one input at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.runtime.run import Run
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.change.before import RunBefore, calibration_of, run_before
from acceleray.stages.change.drift import at_prices_before
from acceleray.stages.change.lines import aligned, compared, kept, only
from acceleray.stages.change.measured import Asked, Values, asked, measured, too_large, values_of
from acceleray.stages.change.split import PARTS, split
from acceleray.stages.change.steps import Inputs, steps
from acceleray.stages.simulate.horizon import Horizon
from acceleray.stages.simulate.rows import VALUE_AT_RISK
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL
from acceleray.stages.stress.rows import joined, typed
from acceleray.tables import BOOK_LINES, POSITIONS, RISK_CHANGE

__all__ = ["explain_change"]

_WORDS = (
    ("positions", "positions"),
    ("instruments", "new and ended instruments"),
    ("market", "market"),
    ("parameters", "model"),
    ("remainder", "remainder"),
)


def explain_change(run: Run, calibration: Calibration, book: Book, horizons: tuple[Horizon, ...]) -> pa.Table:
    """Commit gold.book_lines and gold.risk_change, and return the latter's rows without those of the run.

    Without an earlier run of this workload and source there are none. Up to a hundred portfolios are
    compared. What cannot be split says so, and all of its change is remainder.

    Args:
        run: what is read and written.
        calibration: of the as-of date.
        book: of the as-of date.
        horizons: what was simulated; only filtered historical ones are compared.
    """
    places = compared(book)
    book = only(book, places)
    run.commit(BOOK_LINES, kept(book))
    simulated = [each for each in horizons if each.method == FILTERED_HISTORICAL]
    today = {each: values[places] for each, values in values_of(run.settings, simulated).items()}
    before = run_before(run)
    if before is None:
        rows = joined(RISK_CHANGE, ())
    else:
        stepped, reasons = _stepped(run, before, Inputs(calibration, book), simulated)
        rows = changes(before, book.portfolios, asked(run.settings, simulated), today, stepped, reasons)
    run.commit(RISK_CHANGE, rows)
    for line in lines_of(rows, book.portfolios[0], run.settings.market_data.unit):
        run.reporter.say(f"    {line}")
    return rows


def _stepped(
    run: Run, before: RunBefore, today: Inputs, horizons: Sequence[Horizon]
) -> tuple[list[Values], dict[int, list[str]]]:
    """Return the values of the four steps, and by horizon the reason why each portfolio has none."""
    count, instruments = len(today.book.portfolios), today.calibration.usable.size
    reasons = {each.horizon_d: [too_large(each, instruments)] * count for each in horizons}
    if not before.lines.num_rows or not before.fits.num_rows:
        why = f"run {before.run_id} stored no book lines"
        return [], {each: [why] * count for each in reasons}
    two = aligned(before.lines, today.book)
    reasons = {
        horizon_d: [own or why for own, why in zip(two.reasons, found, strict=True)]
        for horizon_d, found in reasons.items()
    }
    wanted = [each for each in horizons if "" in reasons[each.horizon_d]]
    then = calibration_of(before.fits, before.as_of, today.calibration)
    calibration, book = today.calibration, two.today
    drifted = at_prices_before(
        book, calibration.returns, before.as_of, _quantities(run, book), calibration.arithmetic
    )
    chain = steps(Inputs(then, two.before), replace(today, book=book), run.settings, drifted)
    try:
        return [measured(run.fan_out, each, wanted, run.settings) for each in chain], reasons
    except ValueError as error:
        # A day or an instrument without any residual: yesterday's market is not there any more.
        why = f"the inputs of the previous run cannot be rebuilt: {error}"
        return [], {each: [why] * count for each in reasons}


def _quantities(run: Run, book: Book) -> set[tuple[str, str]]:
    """Return portfolio and instrument of the positions whose quantity is known; none of an invented book."""
    if set(book.origins) <= {"reference", "simulated"}:
        return set()
    rows = run.arrow(POSITIONS, ("portfolio_id", "instrument_id", "quantity"))
    rows = rows.filter(pc.is_valid(rows["quantity"]))
    return set(zip(rows["portfolio_id"].to_pylist(), rows["instrument_id"].to_pylist(), strict=True))


def changes(
    before: RunBefore,
    portfolios: Sequence[str],
    measures: Sequence[Asked],
    today: Values,
    stepped: Sequence[Values],
    reasons: Mapping[int, Sequence[str]],
) -> pa.Table:
    """Return a row for each portfolio and measure, without the columns of the run."""
    parts = [_of_measure(before, portfolios, each, today, stepped, reasons) for each in measures]
    return joined(RISK_CHANGE, parts)


def _of_measure(
    before: RunBefore,
    portfolios: Sequence[str],
    each: Asked,
    today: Values,
    stepped: Sequence[Values],
    reasons: Mapping[int, Sequence[str]],
) -> pa.Table:
    count = len(portfolios)
    then = np.array([before.reported.get((name, each), np.nan) for name in portfolios])
    unknown = "the previous run did not report it"
    why = [unknown if np.isnan(then[place]) else reasons[each.horizon_d][place] for place in range(count)]
    whole = np.array([bool(reason) for reason in why])
    known = [values[each] for values in stepped if each in values]
    found, left = split(then, known, today[each]), split(then, (), today[each])

    def column(name: str) -> NDArray[np.float64]:
        return np.where(whole, getattr(left, name), getattr(found, name))

    unsplit = {name: _or_none(column(name), np.isnan(then)) for name in (*PARTS, "remainder")}
    return typed(
        RISK_CHANGE,
        {
            "portfolio_id": list(portfolios),
            "measure": [each.measure] * count,
            "confidence": np.full(count, each.confidence),
            "horizon_d": [each.horizon_d] * count,
            "run_id_before": [before.run_id] * count,
            "as_of_before": [before.as_of] * count,
            "before_pct_nav": _or_none(then, np.isnan(then)),
            "value_pct_nav": today[each],
            "change_pct_nav": _or_none(today[each] - then, np.isnan(then)),
            **{f"{name}_pct_nav": values for name, values in unsplit.items()},
            "reason": why,
        },
    )


def _or_none(values: NDArray[np.float64], none: NDArray[np.bool_]) -> list[float | None]:
    return [None if empty else float(value) for value, empty in zip(values, none, strict=True)]


def lines_of(rows: pa.Table, portfolio: str, unit: str = "day") -> list[str]:
    """Return a line for each measure of one portfolio: from what to what, and by what."""
    return [_line(row, unit) for row in rows.to_pylist() if row["portfolio_id"] == portfolio]


def _line(row: Mapping[str, Any], unit: str) -> str:
    name = "VaR" if row["measure"] == VALUE_AT_RISK else "ES"
    days = f"{row['horizon_d']} {unit}{'' if row['horizon_d'] == 1 else 's'}"
    now = f"{name} {100.0 * row['confidence']:g} %, {days}: "
    if row["before_pct_nav"] is None:
        return f"{now}{row['value_pct_nav']:.2f} % ({row['reason']})"
    moved = f"{now}{row['before_pct_nav']:.2f} % -> {row['value_pct_nav']:.2f} %"
    if row["reason"]:
        return f"{moved} (not split: {row['reason']})"
    amounts = ((words, row[f"{part}_pct_nav"]) for part, words in _WORDS)
    shown = [
        f"{words} {_signed(amount)}"
        for words, amount in amounts
        # The three that people look for are always said, the others where there is something to say.
        if words in {"positions", "market", "model"} or _signed(amount) != "0.00"
    ]
    return f"{moved} ({', '.join(shown)})"


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if text in {"+0.00", "-0.00"} else text
