"""One verdict from many portfolios: counted by hand, and against statsmodels, which judges many tests."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from acceleray.errors import PortfolioError
from acceleray.quant.backtest import verdict
from acceleray.quant.null_record import two_sided_p
from acceleray.settings.backtest import Backtest
from acceleray.stages.backtest.book_verdict import TESTS, BookVerdict, book_verdict, records_needed
from acceleray.stages.backtest.chosen import MOST, chosen, standing_still, with_long_horizons
from acceleray.stages.backtest.gate import RecordTests, decide
from acceleray.stages.backtest.judging import Judged
from acceleray.stages.backtest.records import HEADLINE
from acceleray.stages.book.book import Book

TERMS = Backtest()
NAN = float("nan")


@cache
def judged(p_value: float, exceptions: int = 10, days: int = 1000, recent: int = 0) -> Judged:
    """Return what 1,000 days with so many exceptions say, `recent` of them in the last days."""
    hits = np.zeros(days, dtype=bool)
    hits[np.linspace(5, days // 2, exceptions - recent, dtype=int)] = True
    hits[days - recent :] = True
    found = verdict(hits, 0.99)
    tests = RecordTests(p_value, 0.0, 1.0, 0.0, 0.0, -0.5, 1.0, 0.0, 1.0, 1.0, (0.5, 1.5))
    passed, reason = decide(found, tests, TERMS)
    return Judged(found, tests, SimpleNamespace(), passed, reason, "promoted" if passed else "not promoted")


def book_of(portfolios: dict[str, Judged]) -> BookVerdict:
    headline = next(iter(portfolios))
    return book_verdict(headline, {HEADLINE: portfolios[headline]}, portfolios, {}, TERMS)


def test_one_portfolio_alone_is_judged_by_its_own_gate_in_its_own_words():
    for own in (judged(0.5), judged(0.001), judged(0.5, recent=10), judged(0.5, days=249, exceptions=2)):
        found = book_of({"REFERENCE": own})
        assert (found.passed, found.reason, found.decision) == (own.passed, own.reason, own.decision)


def test_one_p_value_in_many_that_luck_explains_refuses_nothing():
    # Four tests share the level of a gate: 0.01 becomes 0.04 after Holm, which fails one portfolio alone.
    portfolios = {"DESK": judged(0.5)} | {f"P{number}": judged(0.5) for number in range(5)}
    portfolios["P3"] = judged(0.01)
    assert not portfolios["P3"].passed
    found = book_of(portfolios)
    assert found.passed
    assert found.reason.startswith(
        "5 of 6 portfolios pass alone; none rejected of 6 portfolios tested together "
        "(Benjamini-Hochberg at 5 %); DESK: 10 exceptions in 1000 days agree"
    )


def test_a_p_value_that_luck_does_not_explain_refuses_the_model_and_is_named():
    portfolios = {"DESK": judged(0.5), "PAIRS": judged(0.001), "GROWTH": judged(0.3)}
    found = book_of(portfolios)
    assert not found.passed
    # 0.001 is 0.004 after Holm, times three portfolios over rank one: 0.012.
    assert "PAIRS rejected of 3 portfolios tested together" in found.reason
    assert "smallest q 0.012" in found.reason
    assert {each.decision for each in found.portfolios.values()} == {"not promoted"}
    assert found.models[HEADLINE].decision == "not promoted"
    # Its own days still say what they say.
    assert found.portfolios["GROWTH"].passed


def test_q_values_are_those_of_statsmodels():
    values = [0.5, 0.001, 0.02, 0.013, 0.2, 0.004]
    portfolios = {f"P{place}": judged(value) for place, value in enumerate(values)}
    found = book_of(portfolios)
    smallest = [each.tests.smallest_p for each in portfolios.values()]
    np.testing.assert_allclose(smallest, np.minimum(4.0 * np.array(values), 1.0))
    rejected, expected, *_ = multipletests(smallest, 0.05, "fdr_bh")
    np.testing.assert_allclose(list(found.q_values.values()), expected, rtol=1e-12)
    assert rejected.any() == (not found.passed)
    # By hand: 0.004, 0.016, 0.052, 0.08, 0.8 and 1 of six.
    by_hand = {"P1": 0.024, "P5": 0.048, "P3": 0.104, "P2": 0.12}
    assert {name: found.q_values[name] for name in by_hand} == pytest.approx(by_hand)


def test_enough_records_are_simulated_to_reject_one_portfolio_among_a_hundred():
    assert len(judged(0.5).tests.p_values) == TESTS
    assert records_needed(1, TERMS) <= TERMS.null_records
    passed = []
    for records in (TERMS.null_records, records_needed(100, TERMS)):
        worst = two_sided_p(30.0, np.linspace(0.0, 20.0, records))
        portfolios = {"DESK": judged(0.5)} | {f"P{number}": judged(0.5) for number in range(98)}
        passed.append(book_of(portfolios | {"PAIRS": judged(worst)}).passed)
    assert passed == [True, False]


def test_a_red_zone_in_any_portfolio_and_a_failed_headline_refuse():
    red = book_of({"DESK": judged(0.5), "PAIRS": judged(0.5, exceptions=14, recent=10)})
    assert not red.passed
    assert "red zone in PAIRS" in red.reason
    rate = {"DESK": judged(0.5, exceptions=30), "PAIRS": judged(0.5)}
    # Its tests reject nothing, but twice the expected rate is outside the tolerance of its own gate.
    far = RecordTests(0.5, 0.0, 1.0, 0.0, 0.0, -0.5, 1.0, 0.0, 1.0, 1.0, (2.0, 4.2))
    own = rate["DESK"]
    passed, reason = decide(own.verdict, far, TERMS)
    rate["DESK"] = Judged(own.verdict, far, own.law, passed, reason, "not promoted")
    found = book_of(rate)
    assert not found.passed
    assert "DESK: 30 exceptions in 1000 days: the rate is 2.00 to 4.20" in found.reason.replace(
        "are more than the 10.0 expected: ", ": "
    ).replace("days : ", "days: ")


def test_too_few_days_are_said_and_count_for_nothing_else():
    found = book_of({"DESK": judged(0.5), "NEW": judged(0.0001, exceptions=1, days=100)})
    assert found.passed
    assert "1 of 2 portfolios pass alone; 1 of them with too few days to judge" in found.reason
    assert np.isnan(found.q_values["NEW"])


def test_without_a_day_nothing_is_promoted():
    found = book_verdict("DESK", {}, {}, {"NEW": "no day"}, TERMS)
    assert not found.passed
    assert found.reason == "not tested: no day is out of sample; more history is needed"
    # The headline itself has no tested day, another portfolio has.
    found = book_verdict("DESK", {}, {"OTHER": judged(0.5)}, {"DESK": "no day"}, TERMS)
    assert not found.passed
    assert found.reason.endswith("DESK: not backtested")


def some_book(names: list[str], origins: list[str], parents: list[str] | None = None) -> Book:
    made = Book.plain(names, ["A"], np.ones((len(names), 1)), 1.0, "USD", origins=origins)
    return made if parents is None else Book(**{**vars(made), "parents": tuple(parents)})


def test_all_that_are_held_are_chosen_and_those_invented_as_a_load_are_not():
    among = chosen(some_book(["REFERENCE", "SIM-1"], ["reference", "simulated"]), TERMS)
    assert among.places.tolist() == [0]
    assert among.left_out == {"SIM-1": "simulated as a benchmark load"}
    named = chosen(
        some_book(["REFERENCE", "SIM-1"], ["reference", "simulated"]), Backtest(portfolios=("SIM-1",))
    )
    assert (named.places.tolist(), dict(named.left_out)) == ([0, 1], {})


def test_weights_stand_still_of_what_nobody_holds_and_of_what_is_given_by_weights():
    book = some_book(["REFERENCE", "SIM-1", "OWN"], ["reference", "simulated", "reported"])
    assert [standing_still(book, place) for place in range(3)] == [True, True, False]
    given = Book(**{**vars(book), "stated": (False, False, True)})
    assert [standing_still(given, place) for place in range(3)] == [True, True, True]


def test_of_more_than_a_hundred_those_without_a_parent_are_chosen():
    names = ["DESK", *(f"P{number:03d}" for number in range(MOST + 5))]
    parents = ["", *("DESK" if number % 2 else "" for number in range(MOST + 5))]
    book = some_book(names, ["reported"] * len(names), parents)
    among = chosen(book, TERMS)
    assert [book.portfolios[place] for place in among.places] == [
        name for name, parent in zip(names, parents, strict=True) if not parent
    ]
    assert among.left_out["P001"] == "the book has more than 100 portfolios, and it has a parent"
    few = chosen(some_book(names[:8], ["reported"] * 8, parents[:8]), TERMS)
    assert few.places.tolist() == list(range(8))
    # Longer horizons are simulated again and again: for the headline and roots alone.
    assert with_long_horizons(book, few.places).tolist() == [0, 1, 3, 5, 7]


def test_a_name_that_is_not_in_the_book_is_refused_in_one_line():
    book = some_book(["DESK", "PAIRS"], ["reported"] * 2)
    with pytest.raises(PortfolioError, match="names PEARS, which is not in the book"):
        chosen(book, Backtest(portfolios=("PAIRS", "PEARS")))
    among = chosen(book, Backtest(portfolios=("PAIRS",)))
    assert among.places.tolist() == [0, 1]
