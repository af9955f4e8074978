"""The corrections file: what a person decided about single prices, applied before cells are judged."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Literal

from acceleray.errors import PortfolioError
from acceleray.quant.price_findings.finding import KINDS
from acceleray.settings import Settings
from acceleray.settings.on_findings import CORRECTIONS_FILE

Action = Literal["adjust", "drop", "replace", "accept"]
ACTIONS: tuple[Action, ...] = ("adjust", "drop", "replace", "accept")
COLUMNS = ("instrument_id", "first_date", "last_date", "action", "value", "reason")
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Correction:
    """One line of the corrections file.

    Attributes:
        line: its number in the file.
        instrument: whose prices; empty in an `accept` of a finding about the file.
        first: first day it is about, None for an `accept` of any day.
        last: last day, `first` where the line gives one day; the day of a split for `adjust`.
        action: one of `ACTIONS`.
        value: the factor, or the price as written, or the kind that is accepted; empty for all kinds.
        reason: why, as the line says.
    """

    line: int
    instrument: str
    first: date | None
    last: date | None
    action: Action
    value: str
    reason: str

    @property
    def changes(self) -> bool:
        """Return whether it changes prices, which an `accept` does not."""
        return self.action != "accept"


@dataclass(frozen=True)
class Corrections:
    """All lines of the corrections file, in order, and how messages name the file."""

    name: str = CORRECTIONS_FILE
    lines: tuple[Correction, ...] = ()

    @property
    def changing(self) -> tuple[Correction, ...]:
        """Return the lines that change prices."""
        return tuple(one for one in self.lines if one.changes)

    def identity(self, load_id: str) -> str:
        """Return the load_id of received content with these corrections; without any it stays the same."""
        if not self.lines:
            return load_id
        # The order of lines does not count, and neither does their number in the file.
        said = sorted(
            (one.instrument, str(one.first), str(one.last), one.action, one.value, one.reason)
            for one in self.lines
        )
        return hashlib.sha256(json.dumps([load_id, said]).encode()).hexdigest()


def read_corrections(settings: Settings) -> Corrections:
    """Return the lines of the file that `market_data.corrections` names; there need be none by default.

    Raises:
        PortfolioError: the file is named in settings and not there, or a line is wrong; with its number.
    """
    name = settings.market_data.corrections
    path = settings.project_dir / Path(name).expanduser()
    if not name or (name == CORRECTIONS_FILE and not path.exists()):
        return Corrections()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PortfolioError(
            f"{name} cannot be read: {error.strerror}; correct market_data.corrections."
        ) from None
    except UnicodeDecodeError:
        raise PortfolioError(f"{name} is not UTF-8 text; save it as CSV in UTF-8.") from None
    return parse(name, text)


def parse(name: str, text: str) -> Corrections:
    """Return the lines of a corrections file; blank lines and lines that begin with # are left out.

    Raises:
        PortfolioError: a line is wrong, or two lines contradict each other.
    """
    header: tuple[str, ...] = ()
    lines: list[Correction] = []
    for number, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        cells = tuple(cell.strip() for cell in next(csv.reader([raw])))
        if not header:
            header = cells
            if header != COLUMNS:
                raise PortfolioError(f"Line {number} of {name} must be the header {','.join(COLUMNS)}.")
            continue
        lines.append(_line(name, number, cells))
    _refuse_contradictions(name, lines)
    return Corrections(name, tuple(lines))


def _line(name: str, number: int, cells: tuple[str, ...]) -> Correction:
    where = f"Line {number} of {name}"
    if len(cells) != len(COLUMNS):
        raise PortfolioError(
            f"{where} has {len(cells)} cells, not {len(COLUMNS)}; put a reason with a comma in quotes."
        )
    instrument, first_text, last_text, action, value, reason = cells
    if action not in ACTIONS:
        raise PortfolioError(f"{where} has the action '{action}'; use one of {', '.join(ACTIONS)}.")
    first, last = _day(where, "first_date", first_text), _day(where, "last_date", last_text)
    if last and not first:
        raise PortfolioError(f"{where} has a last_date and no first_date; fill it in.")
    if first and last and last < first:
        raise PortfolioError(f"{where} ends on {last}, before it begins on {first}; swap them.")
    if action != "accept":
        if not instrument:
            raise PortfolioError(f"{where} names no instrument_id; fill it in.")
        if not first:
            raise PortfolioError(f"{where} has no first_date; an {action} needs one.".replace("an d", "a d"))
    if not reason:
        raise PortfolioError(f"{where} gives no reason; write one, every report shows it.")
    if action == "adjust" and last and last != first:
        raise PortfolioError(
            f"{where} adjusts up to {last}; leave last_date empty: prices before first_date change."
        )
    _refuse_value(where, action, value)
    return Correction(number, instrument, first, last or first, action, value, reason)


def _day(where: str, column: str, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise PortfolioError(f"{where} has '{text}' for {column}; write dates as 2020-12-31.")


def _refuse_value(where: str, action: str, value: str) -> None:
    if action == "accept" and value and value not in KINDS:
        raise PortfolioError(
            f"{where} accepts '{value}', which is no kind of finding; leave it empty for all."
        )
    if action == "drop" and value:
        raise PortfolioError(f"{where} drops prices and has the value '{value}'; leave it empty.")
    if action in ("adjust", "replace"):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number <= 0.0:
            what = "factor" if action == "adjust" else "price"
            raise PortfolioError(
                f"{where} has '{value}' for a {what}; write a number above zero such as 0.25."
            )


def _refuse_contradictions(name: str, lines: Sequence[Correction]) -> None:
    def order(one: Correction) -> tuple[bool, str, date]:
        return one.action == "adjust", one.instrument, one.first or date.min

    changing = sorted((one for one in lines if one.changes), key=order)
    for before, after in pairwise(changing):
        same = before.instrument == after.instrument and (before.action == "adjust") == (
            after.action == "adjust"
        )
        if same and before.last and after.first and after.first <= before.last:
            first, second = sorted((before.line, after.line))
            raise PortfolioError(f"Lines {first} and {second} of {name} concern the same prices; keep one.")
