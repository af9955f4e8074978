"""The schedule: every instrument fitted again every so many days, each time on the past alone.

Fits are independent and uneven (long and short histories, easy and hard optimisations): the case for Ray
tasks. Tasks are made when Ray has room for them, and results stream back into parts in the state folder, so
the driver holds a few hundred of either, however many there are; a killed run goes on where it stopped.

A fit is decided by the returns in its window and by little else, so most fits of a morning were made on an
earlier one, and are taken from there (see `runtime.kept_work`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.engines.handoff.resume import Resumable
from acceleray.quant.garch import GjrFit
from acceleray.runtime.content import content_key
from acceleray.runtime.kept_work import Kind
from acceleray.runtime.run import Run
from acceleray.settings.sections import Calibration
from acceleray.stages.calibrate.fits import FIT_COLUMNS, as_bytes, fit_before, fit_table, fits_of, from_bytes
from acceleray.stages.calibrate.optimiser import machine_code_folder
from acceleray.tables import CALIBRATION_HISTORY

# Fits in a part, however many there are: what a kill loses at most, some seconds of work.
PART = 100
# A fit takes one or two thousandths of a second, and a task of Ray's own as long.
BATCH = 32

FIT = Kind("fit", fit_before, as_bytes, from_bytes)
"""One fit, as it is kept for other runs."""

_SCHEMA = pa.schema(
    [
        CALIBRATION_HISTORY.arrow_schema.field(name).remove_metadata()
        for name in ("fitted_on", "instrument_id", *FIT_COLUMNS)
    ]
)


@dataclass(frozen=True)
class Schedule:
    """Every instrument, by its column, before each of the rows `firsts`: fit by number, nothing kept of any.

    Fits are numbered day by day, and cut into parts of `PART`.
    """

    firsts: Sequence[int]
    instruments: int

    def __len__(self) -> int:
        """Return the number of fits."""
        return len(self.firsts) * self.instruments

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Return the row before which one fit ends, and its instrument's column."""
        return self.firsts[number // self.instruments], number % self.instruments

    @property
    def parts(self) -> int:
        """Return the number of parts."""
        return -(-len(self) // PART)

    def part(self, number: int) -> range:
        """Return the numbers of the fits in one part."""
        return range(number * PART, min(len(self), (number + 1) * PART))


# So many fits are committed by this process, from the parts as it reads them.
_HERE_FITS = 200_000


@dataclass(frozen=True)
class Remaining:
    """The fits of some parts of a schedule, of shape (parts,) and ascending, in their order."""

    schedule: Schedule
    parts: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of fits."""
        if not self.parts.size:
            return 0
        # None but the last part can be short.
        return (len(self.parts) - 1) * PART + len(self.schedule.part(int(self.parts[-1])))

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Return row and column of one fit."""
        return self.schedule[int(self.parts[number // PART]) * PART + number % PART]


@dataclass(frozen=True)
class Keys:
    """Key of each fit: the returns in its window, and the settings of a fit."""

    fits: Remaining
    values: NDArray[np.float64]
    window: int
    settings: tuple[int, ...]

    def __getitem__(self, number: int) -> str:
        """Return the key of one fit."""
        first, instrument = self.fits[number]
        return content_key(self.values[max(0, first - self.window) : first, instrument], *self.settings)


def scheduled(settings: Calibration, days: int) -> list[int]:
    """Return the rows before which every instrument is fitted: on schedule, and after the last day."""
    return [*range(settings.first_fit_d, days, settings.refit_every_d), days]


def fit_schedule(run: Run, returns: Panel) -> tuple[list[GjrFit], list[GjrFit]]:
    """Commit gold.calibration_history; return the last fits and those before them, one an instrument.

    `returns` are those that a volatility model may see.

    The fits before are those of the last day on schedule, an empty list if there was none.
    """
    settings, stale_after = run.settings.calibration, run.settings.market_data.stale_after_d
    compiled_in = machine_code_folder(run.settings, run.reporter.say)
    schedule = Schedule(scheduled(settings, len(returns.dates)), len(returns.instruments))
    parts = Resumable(run.settings, "calibration", _key(run, returns, compiled_in is None), _SCHEMA)
    there = np.array([parts.done(number) for number in range(schedule.parts)], dtype=np.bool_)
    remaining, resumed = (Remaining(schedule, np.flatnonzero(which)) for which in (~there, there))
    before = len(schedule) - len(remaining)
    if before:
        run.reporter.say(f"    resumes an interrupted run: {before} of {len(schedule)} fits are done")
    terms = (settings.minimum_history_d, stale_after, run.settings.market_data.stale_price_d)
    # Optimisers end at other parameters, by a hundredth of a standard error.
    decide = (settings.window_d, (*terms, int(compiled_in is None)))
    _keep_resumed(run, parts, Keys(resumed, returns.values, *decide))
    progress = run.reporter.counter(len(schedule), "fits")
    fits = run.kept.map(
        FIT,
        Keys(remaining, returns.values, *decide),
        remaining,
        (returns.values,),
        lambda done: progress(before + done),
        batch=BATCH,
        window=settings.window_d,
        minimum=terms[0],
        stale_after=terms[1],
        standstill_d=terms[2],
        compiled_in=compiled_in,
    )
    for number in map(int, remaining.parts):
        parts.keep(number, _rows(returns, [schedule[fit] for fit in schedule.part(number)], fits))
    # The map is over, and what it made is kept for other runs.
    next(fits, None)
    if run.settings.profile == "local" and len(schedule) <= _HERE_FITS:
        found = pa.concat_tables(parts.rows(number) for number in range(schedule.parts))
        run.commit(CALIBRATION_HISTORY, found)
    else:
        frame = parts.frame(run.lake, CALIBRATION_HISTORY, run.constants())
        run.commit(CALIBRATION_HISTORY, frame, in_files=len(schedule))
    last = _last(parts, schedule)
    parts.forget()
    count = schedule.instruments
    return last[-count:], last[:-count]


def _keep_resumed(run: Run, parts: Resumable, keys: Keys) -> None:
    """Keep for other runs the fits in parts of a killed run, which may have kept none of them."""
    fits = (fit for part in map(int, keys.fits.parts) for fit in fits_of(parts.rows(part)))
    for number, fit in enumerate(fits):
        key = keys[number]
        if run.kept.find(FIT, key) is None:
            run.kept.add(FIT, key, fit)
        else:
            run.kept.take(FIT, key)


def _rows(returns: Panel, part: list[tuple[int, int]], fits: Iterator[GjrFit]) -> pa.Table:
    rows = fit_table([next(fits) for _ in part])
    rows = rows.append_column("fitted_on", pa.array([returns.day(first - 1) for first, _ in part]))
    return rows.append_column("instrument_id", pa.array([returns.instruments[column] for _, column in part]))


def _last(parts: Resumable, schedule: Schedule) -> list[GjrFit]:
    """Return the fits of the last two days on schedule, or of one if there is no other."""
    begin = max(0, len(schedule) - 2 * schedule.instruments)
    numbers = range(begin // PART, schedule.parts)
    rows = pa.concat_tables([parts.rows(number) for number in numbers])
    return fits_of(rows.slice(begin - numbers[0] * PART))


def _key(run: Run, returns: Panel, by_arch: bool) -> str:
    """Return what decides every fit: the returns, settings, optimiser, code, libraries and processors."""
    digest = hashlib.sha256(np.ascontiguousarray(returns.values).data)
    market_data = run.settings.market_data
    parts: list[Any] = [run.settings.calibration.model_dump(mode="json")]
    parts += [market_data.stale_after_d, market_data.stale_price_d, by_arch]
    # Fits of a part are kept under these, so no other machine may have made them.
    parts.append(run.kept.made_with(FIT))
    parts += [run.identity.code_version, list(returns.instruments), [str(day) for day in returns.dates]]
    digest.update(json.dumps(parts, sort_keys=True).encode())
    return digest.hexdigest()[:16]
