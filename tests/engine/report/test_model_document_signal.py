from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.model_document import writing
from acceleray.settings import Settings
from report.conftest import Page
from report.invented_history import SOURCE, History, history
from report.invented_training import training
from report.invented_tuning import search

Written = Callable[..., tuple[Page, str]]


@pytest.fixture
def written(tmp_path: Path, page_settings: Settings) -> Written:
    """Return a function that writes the document of a signal model and returns page and Markdown."""

    def make(kept: History, run_id: str = "r-2") -> tuple[Page, str]:
        html, text = writing.write(kept, "signal", run_id, page_settings, tmp_path / "out")
        return Page(html.read_text(encoding="utf-8")), text.read_text(encoding="utf-8")

    return make


def test_folds_features_decision_and_hyperparameters_are_there(written: Written) -> None:
    page, text = written(history(training(), training()))
    assert text.splitlines()[2] == "**Promoted: mean rank IC 0.0233 is above 0.**"
    assert page.row("1", "1990-01-02", "2005-01-03")[7] == "0.03"
    assert page.row("learning_rate")[1] == "0.05"
    assert page.row("Registered model")[1].endswith("/7")
    assert "There was no champion to compare with" in page.text
    # Years are found by the folds that test them; two folds share the year in which one ends.
    assert page.row("2010") == ["2010", "1, 2"]


def test_a_refused_model_says_not_promoted_first(written: Written) -> None:
    rows = training()
    rows[t.MODEL_DECISIONS][0] |= {"decision": "refused", "reason": "it ranks no better than chance"}
    page, text = written(history(rows), "r-1")
    assert text.splitlines()[2] == "**Not promoted: it ranks no better than chance.**"
    assert page.markup.index("Not promoted") < page.markup.index("<section")


def test_the_search_behind_tuned_hyperparameters_is_shown(written: Written) -> None:
    rows = training()
    rows[t.TRAINING][0]["parameters_from"] = "r-1"
    page, _ = written(history(search(), rows))
    assert "Hyperparameters are those that the search of run r-1 chose." in page.text
    assert page.row("Probability that its Sharpe ratio is not luck [probability]")[1] == "0.971"
    plain, _ = written(history(training()), "r-1")
    assert "no search stands behind them" in plain.text


def test_a_champion_and_single_signals_are_what_it_is_compared_with(written: Written) -> None:
    rows = training()
    found: dict[str, Any] = {"compared_with": 6, "rank_ic_difference": 0.004, "rank_ic_difference_t": 1.7}
    rows[t.MODEL_DECISIONS][0] |= found
    kept = history(rows, training())
    assert "No run has ranked single signals of these prices" in written(kept, "r-1")[0].text
    for place, horizon in ((1, 21), (2, 5)):
        kept[t.SIGNAL_RANKS].append(
            {column.name: None for column in t.SIGNAL_RANKS.columns}
            | {"run_id": "r-2", "as_of": date(2022, 12, 28), "signal_id": f"signal_{horizon}d"}
            | {"horizon_d": horizon, "position": place, "decision": "watch", "reason": "", "direction": 1}
            | {"dates": 100, "rank_ic": 0.0123}
        )
    page, _ = written(kept, "r-1")
    assert page.row("7", "6")[2:] == ["0.0233", "0.004", "1.7"]
    # Only signals of the model's own horizon are its benchmark.
    assert page.row("signal_21d")[3] == "0.0123"
    assert "signal_5d" not in page.text


def test_the_change_log_has_hyperparameters_and_gains(written: Written) -> None:
    before, now = training(), training()
    now[t.FEATURE_IMPORTANCE][0]["gain"] = 0.5
    now[t.TRAINING][0]["parameters_json"] = '{"rounds": 250, "max_depth": 3}'
    kept = history(before, now)
    page, _ = written(kept)
    assert page.row(f"gain of {now[t.FEATURE_IMPORTANCE][0]['feature']}")[2] == "0.5"
    changes = page.markup[page.markup.index('<section id="changes">') :]
    assert Page(changes).row("rounds", "100")[2] == "100"
    assert Page(changes).row("learning_rate")[1:3] == ["0.05", "n/a"]
    assert {row["source"] for row in kept[t.RUNS]} == {SOURCE}


def test_monitoring_holds_the_rank_ic_against_the_settings_of_the_run(written: Written) -> None:
    rows = training()
    rows[t.MODEL_DECISIONS][0]["rank_ic"] = 0.2
    page, _ = written(history(rows), "r-1")
    assert page.row("Mean rank IC out of sample")[-1] == "within"
    limit = page.row("The same, believable on real daily prices")
    assert limit[3:] == ["at most 0.1", "gold.runs.settings_json: leakage.maximum_rank_ic", "outside"]
