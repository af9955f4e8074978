"""Input that a run left out of its numbers stands above everything else on each page of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.notices import SHOWN
from report.invented_history import History
from report.invented_rows import KEYS, Rows

SKIPPED = "skipped, above or below the table: lines 1 to 6 of positions.csv"
UNUSED = "column 'uantity' of positions.csv is not used; if it is quantity, name it so"
HEADING = "Left out of the numbers, or taken otherwise than given:"


def told(rows: Rows, *lines: str) -> Rows:
    """Return the rows of a run that told these lines, the last one first in the table."""
    notices = [KEYS | {"place": place, "stage": "book", "text": text} for place, text in enumerate(lines, 1)]
    rows[t.RUN_NOTICES].extend(reversed(notices))
    return rows


@pytest.mark.parametrize("kind", ["page", "stress_page", "calibration_page"])
def test_rows_and_columns_that_were_left_out_come_before_the_title(
    kind: str, run_rows: Callable[..., Rows], request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(kind)(told(run_rows(), SKIPPED, UNUSED + " <b>"))
    assert made.markup.index(HEADING) < made.markup.index("<h1>")
    first, second = (made.markup.index(f"<li>{text}") for text in ("Skipped, above", "Column &#39;uantity"))
    assert first < second < made.markup.index("<h1>")
    assert "name it so &lt;b&gt;.</li>" in made.markup
    assert "more: see gold.run_notices" not in made.markup


def test_of_many_the_first_are_shown_and_the_others_counted(run_rows: Callable[..., Rows], page: Any) -> None:
    made = page(told(run_rows(), *(f"line {at} left out." for at in range(1, SHOWN + 4))))
    assert f"<li>Line {SHOWN} left out.</li>" in made.markup
    assert f"Line {SHOWN + 1}" not in made.markup
    assert "<li>3 more: see gold.run_notices.</li>" in made.markup


def test_a_run_that_took_everything_as_given_has_no_notice(run_rows: Callable[..., Rows], page: Any) -> None:
    assert HEADING not in page(run_rows()).text


def test_the_model_document_lists_all_of_them(runs: History, written: Callable[..., tuple[Any, str]]) -> None:
    page, text = written(runs)
    assert "Nothing else was left out or taken otherwise than given (gold.run_notices)." in page.text
    runs.tables[t.RUN_NOTICES.label].append(
        KEYS | {"run_id": "r-2", "place": 1, "stage": "", "text": SKIPPED}
    )
    page, text = written(runs)
    assert SKIPPED in page.text
    assert SKIPPED in text
