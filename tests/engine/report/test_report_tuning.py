from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray import tables as t
from acceleray.advice import TRAINERS
from acceleray.errors import PortfolioError
from acceleray.report.tuning import figures, importance
from acceleray.report.tuning.page import PAGE
from acceleray.settings import Settings
from report.invented_rows import Rows
from report.invented_tuning import check_row, search


@pytest.fixture
def made(
    page_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn_page: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function that writes a page without its figures, which take longest."""

    def make(rows: Rows, settings: Settings = page_settings) -> Any:
        monkeypatch.setattr(figures, "draw_all", lambda report: figures.Figures(None, None, None))
        return drawn_page(rows, settings, writer=PAGE.write)

    return make


def test_the_badge_and_the_first_sentences_say_what_was_found(made: Callable[..., Any]) -> None:
    rows = search()
    page = made(rows)
    assert "Hyperparameter tuning Signal found" in page.text
    assert "of 0.0187 (t 2.4, p 0.024) in a holdout that the search never saw" in page.text
    assert "more than luck explains" in page.text
    assert "Found: holdout rank IC 0.019 (t 2.4)." in page.text
    row = rows[t.TUNING_EVIDENCE][0]
    row |= {"finding": "weak", "verdict": "weak: holdout rank IC 0.019, but its t is below 2"}
    page = made(rows)
    assert "Not convincing" in page.text
    assert "That does not convince: its t is below 2." in page.text
    row |= {"finding": "nothing", "verdict": "nothing found"}
    page = made(rows)
    assert "Nothing found" in page.text
    assert "what noise looks like" in page.text


def test_the_best_trial_stands_beside_the_settings_with_the_command_to_use_it(
    made: Callable[..., Any], page_settings: Settings
) -> None:
    rows = search()
    (best,) = (row for row in rows[t.TRIALS] if row["chosen"])
    best |= {"max_depth": 6, "min_child_weight": 1234.5, "learning_rate": 0.012345}
    page = made(rows)
    trainer = TRAINERS[0]
    command = f"portfolio run {trainer} --set train.parameters=tuned"
    assert (command if trainer else "No workload of this project trains") in page.text
    assert page.row("Depth", "model.max_depth")[2:4] == ["6", str(page_settings.model.max_depth)]
    assert page.row("Leaf weight")[2] == "1,234"
    assert page.row("Learning rate")[2] == "0.0123"
    assert page.row("Boosting rounds")[2:4] == ["20", str(page_settings.model.rounds)]
    assert f'<tr class="chosen"><th scope="row">{best["trial"]}' in page.markup


def test_under_suspicion_nothing_is_chosen_and_the_suspect_is_named(made: Callable[..., Any]) -> None:
    rows = search(chosen=False)
    check_row(rows, "leaky <feature>", "rank_ic", 0.34, suspected=True)
    rows[t.TUNING_EVIDENCE][0] |= {"finding": "suspect", "verdict": "SUSPECT: leaky"}
    page = made(rows)
    assert "Leakage suspected" in page.text
    assert (
        "leakage until proven otherwise. Under suspicion: leaky <feature>. No parameters are chosen"
        in page.text
    )
    assert "leaky <feature>" not in page.markup
    assert "train.parameters=tuned will not find them" in page.text
    assert "To train with them" not in page.text
    assert 'class="chosen"' not in page.markup
    assert page.row("leaky <feature>")[1:4] == ["Alone, against the target", "0.3400", "0.10"]
    assert page.row("leaky <feature>")[4].startswith("suspected")


def test_luck_is_told_in_plain_words_with_the_numbers(made: Callable[..., Any]) -> None:
    rows = search()
    text = made(rows).text
    assert "Over 297 periods of 21 days that do not overlap" in text
    assert "The best of so many without any skill would be expected to reach 0.076." in text
    assert "1,100 could have been chosen" in text
    assert "searches before on these prices tried 2,300 more, which count as well." in text
    none = {"tried": None, "tried_before": None, "holdout_rank_ic_p": None, "searched_last": None}
    old = search()
    old[t.TUNING_EVIDENCE][0] |= none
    assert "11 trials were made. The best of so many" in made(old).text
    assert "its true Sharpe ratio is above that is 97 %; 95 % would convince" in text
    assert "in the worse half of all trials in the other half 12 % of the time" in text
    empty = {"deflated_sharpe": None, "expected_maximum_sharpe": None, "sharpe": None, "overfitting": None}
    rows[t.TUNING_EVIDENCE][0] |= empty
    text = made(rows).text
    assert "History is too short to say what the Sharpe ratio of the best trial is worth." in text
    assert "History is too short for a probability of overfitting." in text


def test_trials_are_listed_best_first_and_failed_ones_with_their_reason(made: Callable[..., Any]) -> None:
    rows = search(40, failed=2)
    page = made(rows)
    assert "The 15 best of 38 trials, best first" in page.text
    order = sorted(
        (row for row in rows[t.TRIALS] if row["rank_ic"] is not None), key=lambda row: -row["rank_ic"]
    )
    part = page.markup[page.markup.index('id="trials"') : page.markup.index('id="coordinates"')]
    places = [
        found.start() if (found := re.search(rf'<th scope="row">{row["trial"]}(<| \(settings)', part)) else -1
        for row in order[:15]
    ]
    assert places == sorted(places)
    assert min(places) > 0
    assert page.row("39") == ["39", "10", "ValueError: <broken>"]
    stopped = next(row for row in order[:15] if row["status"] == "stopped")
    assert page.row(str(stopped["trial"]))[-1] == "no better for 60 rounds"
    spent = sum(row["rounds_spent"] for row in rows[t.TRIALS])
    assert f"{spent:,} boosting rounds count" in page.text


def test_simulated_prices_are_called_simulated_and_judged_as_such(
    made: Callable[..., Any], page_settings: Settings
) -> None:
    data = page_settings.market_data.model_copy(update={"source": "simulated"})
    text = made(search(), page_settings.model_copy(update={"market_data": data})).text
    assert "Prices are simulated, with a signal planted in them" in text
    assert "says nothing about any market" in text
    assert "nothing is too good to be true here" in text
    assert "Prices are simulated" not in made(search()).text


def test_lineage_begins_with_the_best_trial(made: Callable[..., Any]) -> None:
    rows = search()
    (best,) = (row for row in rows[t.TRIALS] if row["chosen"])
    assert f"portfolio lineage gold.trials run_id=r-test-0001 trial={best['trial']}" in made(rows).text


def test_the_figures_follow_the_numbers(drawn_page: Callable[..., Any]) -> None:
    rows = search()
    before = drawn_page(rows, writer=PAGE.write).drawings
    # Three pictures, wide and narrow each: curves, parallel coordinates, importance.
    assert len(before) == 6
    assert drawn_page(rows, writer=PAGE.write).drawings == before
    rows[t.TRIAL_PROGRESS][0]["rank_ic"] += 0.01
    changed = [a != b for a, b in zip(before, drawn_page(rows, writer=PAGE.write).drawings, strict=True)]
    assert changed == [True, True, False, False, False, False]
    rows = search()
    rows[t.TRIALS][3]["colsample"] = 0.31
    changed = [a != b for a, b in zip(before, drawn_page(rows, writer=PAGE.write).drawings, strict=True)]
    assert changed[:4] == [False, False, True, True]


def test_a_few_trials_have_a_page_without_what_needs_many(drawn_page: Callable[..., Any]) -> None:
    page = drawn_page(search(1, failed=0), writer=PAGE.write)
    assert "There are too few trials for this figure." in page.text
    assert "nothing can be said about what mattered" in page.text
    assert "All 1 trial that did not fail" in page.text
    assert len(page.drawings) == 2


def test_importance_finds_the_parameter_that_decides_and_its_direction() -> None:
    draws = np.random.default_rng(1)
    tried = [{"a": float(a), "b": float(b), "c": 1.0} for a, b in draws.uniform(size=(60, 2))]
    values = np.array([-3.0 * one["a"] + 0.1 * one["b"] for one in tried])
    found = importance.importances(tried, values, 5)
    assert found.names == ("a", "b")
    assert found.shares[0] > 0.9
    assert found.correlations[0] < -0.9
    assert sum(found.shares) == pytest.approx(1.0)
    assert importance.importances(tried, values, 5) == found
    assert importance.importances(tried[:7], values[:7], 5).names == ()
    assert importance.importances(tried, np.ones(60), 5).names == ()


def test_without_a_search_there_is_one_plain_line(page_settings: Settings, tmp_path: Path) -> None:
    for table in (t.TUNING_EVIDENCE, t.TRIALS):
        rows = search()
        rows[table].clear()
        with pytest.raises(PortfolioError, match="portfolio run hyperparameter_tuning"):
            PAGE.write(rows.read, page_settings, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_nothing_but_trials_and_evidence_renders(drawn_page: Callable[..., Any]) -> None:
    rows = search()
    for table in (t.TRIAL_PROGRESS, t.LEAKAGE_CHECKS):
        rows[table].clear()
    text = drawn_page(rows, writer=PAGE.write).text
    assert "No check for leakage was recorded." in text
    assert "This run has not recorded table versions." in text
