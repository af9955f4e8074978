"""The schedule: every instrument fitted anew every so many days, each time on the past alone.

Fits are independent and uneven (long and short histories, easy and hard optimisations): the case for Ray
tasks. Results stream back into parts in the state folder, so the driver holds a few hundred at a time, and a
killed run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pyarrow as pa

from portfolio.calibrate.fits import FIT_COLUMNS, fit_before, fit_table, fits_of
from portfolio.engines.arrays import Panel
from portfolio.engines.resume import Resumable
from portfolio.quant.garch import GjrFit
from portfolio.run import Run
from portfolio.settings.sections import Calibration
from portfolio.tables import CALIBRATION_HISTORY

# A kill loses at most one part: some seconds of work. Very long schedules make a thousand larger parts.
_SMALLEST_PART, _PARTS = 100, 1000
# A fit takes some hundredths of a second, of which a task of Ray's own would be a tenth.
BATCH = 8

_SCHEMA = pa.schema(
    [
        CALIBRATION_HISTORY.arrow_schema.field(name).remove_metadata()
        for name in ("fitted_on", "instrument_id", *FIT_COLUMNS)
    ]
)


def scheduled(settings: Calibration, days: int) -> list[int]:
    """Return the rows before which every instrument is fitted: on schedule, and after the last day."""
    return [*range(settings.first_fit_d, days, settings.refit_every_d), days]


def fit_schedule(run: Run, returns: Panel) -> tuple[list[GjrFit], list[GjrFit]]:
    """Commit gold.calibration_history; return the last fits and those before them, one an instrument.

    The fits before are those of the last day on schedule, an empty list if there was none.
    """
    settings, stale_after = run.settings.calibration, run.settings.market_data.stale_after_d
    firsts = scheduled(settings, len(returns.dates))
    count = len(returns.instruments)
    tasks = [(first, column) for first in firsts for column in range(count)]
    size = max(_SMALLEST_PART, len(tasks) // _PARTS)
    parts = [tasks[start : start + size] for start in range(0, len(tasks), size)]
    kept = Resumable(run.settings, "calibration", _key(run, returns), _SCHEMA)
    missing = [number for number in range(len(parts)) if not kept.done(number)]
    before = len(tasks) - sum(len(parts[number]) for number in missing)
    if before:
        run.reporter.say(f"    goes on where a run before stopped: {before} of {len(tasks)} fits are there")
    progress = run.reporter.counter(len(tasks), "fits")
    fits = run.fan_out.map(
        fit_before,
        [task for number in missing for task in parts[number]],
        (returns.values,),
        lambda done: progress(before + done),
        batch=BATCH,
        window=settings.window_d,
        minimum=settings.minimum_history_d,
        stale_after=stale_after,
    )
    for number in missing:
        kept.keep(number, _rows(returns, parts[number], fits))
    frame = kept.frame(run.lake, CALIBRATION_HISTORY, len(parts), run.constants())
    run.commit(CALIBRATION_HISTORY, frame)
    last = _last(kept, tasks, size, count)
    kept.forget()
    return last[-count:], last[:-count]


def _rows(returns: Panel, part: list[tuple[int, int]], fits: Iterator[GjrFit]) -> pa.Table:
    rows = fit_table([next(fits) for _ in part])
    rows = rows.append_column("fitted_on", pa.array([returns.day(first - 1) for first, _ in part]))
    return rows.append_column("instrument_id", pa.array([returns.instruments[column] for _, column in part]))


def _last(kept: Resumable, tasks: list[tuple[int, int]], size: int, count: int) -> list[GjrFit]:
    """Return the fits of the last two days on schedule, or of one if there is no other."""
    begin = max(0, len(tasks) - 2 * count)
    numbers = range(begin // size, (len(tasks) - 1) // size + 1)
    rows = pa.concat_tables([kept.rows(number) for number in numbers])
    return fits_of(rows.slice(begin - numbers[0] * size))


def _key(run: Run, returns: Panel) -> str:
    """Return what decides every fit: the returns, the settings of a fit, and the code."""
    digest = hashlib.sha256(returns.values.tobytes())
    parts = [run.settings.calibration.model_dump(mode="json"), run.settings.market_data.stale_after_d]
    parts += [run.identity.code_version, list(returns.instruments), [str(day) for day in returns.dates]]
    digest.update(json.dumps(parts, sort_keys=True).encode())
    return digest.hexdigest()[:16]
