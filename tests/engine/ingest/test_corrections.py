"""The corrections file: what its lines mean, and which line is wrong."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.price_findings.finding import Finding
from acceleray.settings import Settings
from acceleray.stages.ingest.corrections import COLUMNS, parse, read_corrections
from acceleray.stages.ingest.surprises import TOLD, lines, ordered, silenced

HEADER = ",".join(COLUMNS)
SPLIT = "AAA,2020-08-31,,adjust,0.25,4-for-1 split"


def found(kind: str = "split", instrument: str = "AAA", day: str = "2020-08-31") -> Finding:
    at = np.datetime64(day, "D")
    return Finding(kind, "error", instrument, at, at, 1, 0.25, f"{kind} on {day}", "do something")


def test_lines_are_read_with_their_numbers_and_comments_are_left_out() -> None:
    text = f"# ours\n{HEADER}\n\n{SPLIT}\nB,2020-01-02,2020-01-09,drop,,bad week\n,,,accept,lead_lag,known\n"
    one, two, three = parse("c.csv", text).lines
    assert (one.line, one.instrument, one.first, one.value) == (4, "AAA", date(2020, 8, 31), "0.25")
    assert (two.action, two.first, two.last) == ("drop", date(2020, 1, 2), date(2020, 1, 9))
    assert (three.instrument, three.first, three.changes) == ("", None, False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("AAA,2020-08-31,,split,4,x", "Line 3 of c.csv has the action 'split'; use one of adjust, drop"),
        ("AAA,31.08.2020,,adjust,4,x", "has '31.08.2020' for first_date; write dates as 2020-12-31"),
        ("AAA,2020-02-30,,adjust,4,x", "has '2020-02-30' for first_date"),
        ("AAA,,,adjust,4,x", "has no first_date; an adjust needs one"),
        ("AAA,,,drop,,x", "has no first_date; a drop needs one"),
        (",2020-08-31,,drop,,x", "names no instrument_id"),
        ("AAA,2020-08-31,2020-08-30,drop,,x", "ends on 2020-08-30, before it begins on 2020-08-31"),
        ("AAA,,2020-08-30,accept,,x", "has a last_date and no first_date"),
        ("AAA,2020-08-31,2020-09-30,adjust,4,x", "leave last_date empty"),
        ("AAA,2020-08-31,,adjust,0,x", "has '0' for a factor"),
        ("AAA,2020-08-31,,adjust,nan,x", "has 'nan' for a factor"),
        ("AAA,2020-08-31,,replace,abc,x", "has 'abc' for a price"),
        ("AAA,2020-08-31,,drop,4,x", "drops prices and has the value '4'"),
        ("AAA,2020-08-31,,accept,splt,x", "accepts 'splt', which is no kind of finding"),
        ("AAA,2020-08-31,,adjust,4,", "gives no reason"),
        ("AAA,2020-08-31,,adjust,4", "has 5 cells, not 6"),
        (SPLIT, "Lines 2 and 3 of c.csv concern the same prices"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(line: str, message: str) -> None:
    with pytest.raises(PortfolioError, match=r"[23] of c\.csv") as error:
        parse("c.csv", f"{HEADER}\n{SPLIT}\n{line}\n")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_identity_of_a_load_follows_what_lines_say_and_not_their_order() -> None:
    drop = "B,2020-01-02,,drop,,bad"
    first = parse("c.csv", f"{HEADER}\n{SPLIT}\n{drop}\n").identity("load")
    assert first == parse("c.csv", f"{HEADER}\n# moved\n{drop}\n{SPLIT}\n").identity("load")
    assert first != parse("c.csv", f"{HEADER}\n{SPLIT.replace('0.25', '0.2')}\n{drop}\n").identity("load")
    assert parse("c.csv", f"{HEADER}\n# nothing\n").identity("load") == "load"


def test_there_need_be_no_file_unless_settings_name_one(settings: Callable[..., Settings]) -> None:
    assert read_corrections(settings()).lines == ()
    with pytest.raises(PortfolioError, match=r"own\.csv cannot be read"):
        read_corrections(settings("market_data.corrections=own.csv"))
    path = settings().project_dir / "conf" / "corrections.csv"
    path.write_text(f"\ufeff{HEADER}\n{SPLIT}\n", encoding="utf-8")
    assert len(read_corrections(settings()).lines) == 1


def test_corrections_and_findings_change_no_number_by_where_they_are_kept(
    settings: Callable[..., Settings],
) -> None:
    changed = settings("market_data.corrections=own.csv", "market_data.on_findings={error: refuse}")
    assert changed.numbers() == settings().numbers()


def test_accepting_silences_one_kind_of_one_instrument_on_its_days() -> None:
    accept = "AAA,2020-08-01,2020-09-30,accept,split,real"
    kept, unused = silenced(
        [found(), found(day="2020-10-01"), found("jump"), found(instrument="B")],
        parse("c.csv", f"{HEADER}\n{accept}\n"),
    )
    assert [(one.kind, one.instrument, str(one.first)) for one in kept] == [
        ("split", "AAA", "2020-10-01"),
        ("jump", "AAA", "2020-08-31"),
        ("split", "B", "2020-08-31"),
    ]
    assert unused == []


def test_an_accept_without_kind_and_day_takes_all_and_one_without_effect_is_said() -> None:
    kept, unused = silenced(
        [found(), found("jump")], parse("c.csv", f"{HEADER}\nAAA,,,accept,,real\nZ,,,accept,,real\n")
    )
    assert kept == []
    assert [one.text for one in unused] == ["line 3 of c.csv (accept) matches no finding"]


def test_a_file_of_another_frequency_cannot_be_accepted() -> None:
    kept, _ = silenced([found("frequency", "")], parse("c.csv", f"{HEADER}\n,,,accept,frequency,x\n"))
    assert len(kept) == 1


def test_each_surprise_has_one_line_and_many_alike_are_counted() -> None:
    many = [found("twin", f"A{k:02d}") for k in range(TOLD + 7)]
    said = lines(ordered([*many, found()]))
    assert said[0] == "error: AAA: split on 2020-08-31; do something"
    assert said[1].startswith("error: A00: twin")
    assert len(said) == 1 + TOLD + 1
    assert said[-1] == "error: the same prices twice: 7 more of this kind: see silver.price_findings"
