"""Separator of the cells of a text file."""

from __future__ import annotations

import csv
import re

from acceleray.stages.ingest.reading.dates import looks_like_date
from acceleray.stages.ingest.reading.grid import clean

_USUAL = (",", ";", "\t", "|")
_OTHER = (" ", ":", "^", "~", "!", "\x1f", "\x01")
NAMES = {
    ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks", ":": "colons", "^": "carets", "~": "tildes",
}  # fmt: skip
_DECLARED = re.compile(r"^\W*sep=(.)\W*$", re.IGNORECASE)
_ROWS = 50


def declared(first_line: str) -> str | None:
    """Return the separator of a first line `sep=;`, which Excel writes and reads, else None."""
    found = _DECLARED.match(first_line.rstrip("\r\n").lstrip("\ufeff\u200b"))
    return found[1] if found else ("\t" if re.match(r"^\W*sep=\t", first_line, re.IGNORECASE) else None)


def separator_of(lines: list[str]) -> str:
    """Return what separates the cells of a file, from its first lines.

    With the right one most rows are as wide as the header and have a date in one cell. Comma wins a tie.
    """
    for candidates in (_USUAL, _OTHER):
        scores = {candidate: _score(lines, candidate) for candidate in candidates}
        best = max(scores, key=lambda candidate: scores[candidate])
        if scores[best][0]:
            return best
    widths = {candidate: len(next(csv.reader(lines[:1], delimiter=candidate), [])) for candidate in _USUAL}
    return max(widths, key=lambda candidate: widths[candidate])


def _score(lines: list[str], separator: str) -> tuple[int, int]:
    """Return how many rows have a date in a separate cell, and of these how many fit the header."""
    rows = []
    try:
        for cells in csv.reader(lines, delimiter=separator):
            if any(clean(cell) for cell in cells):
                rows.append(cells)
    except csv.Error:
        pass
    if not rows or len(rows[0]) < 2:
        return 0, 0
    dated = [cells for cells in rows[1:_ROWS] if any(looks_like_date(clean(cell)) for cell in cells[:8])]
    return sum(len(cells) > 1 for cells in dated), sum(len(cells) == len(rows[0]) for cells in dated)
