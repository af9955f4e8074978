from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.training.page import PAGE
from acceleray.settings import Settings
from report.invented_rows import Rows
from report.invented_training import training


@pytest.fixture
def training_page(page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that writes the page of a training, with empty pictures."""
    return partial(page, writer=PAGE.write)


def decision(rows: Rows, **more: Any) -> dict[str, Any]:
    row = rows[t.MODEL_DECISIONS][0]
    row |= more
    return row


def sample(settings: Settings) -> Settings:
    data = settings.market_data.model_copy(update={"source": "sample"})
    return settings.model_copy(update={"market_data": data})


def test_the_page_begins_with_the_decision(training_page: Callable[..., Any]) -> None:
    made = training_page(training())
    assert "Distributed training Promoted to champion" in made.text
    assert "Version 7 is champion for dates from 28 December 2022 on." in made.text
    assert "rank IC is 0.0233 (t 2.1; lower end of its one-sided 95 % interval 0.0041)" in made.text
    assert "above zero in 2 of 3 folds" in made.text
    assert made.row("Mean rank IC over all dates out of sample")[1:] == ["0.0233", "see its interval"]
    interval = "one-sided 95 % interval"
    assert made.row(f"Lower end of its {interval}")[1:] == ["0.0041", "above 0.0000"]
    versus = f"Rank IC less the champion's on the same dates, lower end of its {interval}"
    assert made.row(versus)[1] == "no champion"


def test_after_a_search_the_page_says_which_dates_count(training_page: Callable[..., Any]) -> None:
    assert "A search chose" not in training_page(training()).text
    rows = training()
    decision(rows, unseen_from=date(2018, 12, 10))
    made = training_page(rows)
    assert "A search chose the hyperparameters by dates before 10 December 2018." in made.text
    assert made.row("Mean rank IC over dates after the search")[1] == "0.0233"


def test_a_decision_of_an_earlier_release_has_a_page_without_an_interval(
    training_page: Callable[..., Any],
) -> None:
    rows = training()
    for name in ("rank_ic_lower", "unseen_from", "rank_ic_difference_lower"):
        decision(rows)[name] = None
    assert training_page(rows).row("Lower end of its one-sided 95 % interval")[1] == "n/a"


def test_a_refused_model_says_why_and_who_is_champion(training_page: Callable[..., Any]) -> None:
    rows = training()
    reason = "mean rank IC -0.0100 over 900 dates is not above 0"
    decision(rows, decision="refused", rank_ic=-0.01, reason=reason)
    made = training_page(rows)
    assert "Refused by the gate" in made.text
    assert "Version 7 stays a challenger; champion is nobody." in made.text
    assert reason in made.text
    assert "Promoted" not in made.text


def test_history_tells_every_decision_the_latest_first_and_marks_the_champion(
    page: Callable[..., Any],
) -> None:
    rows = training()
    mine = decision(rows)
    before = mine | {"model_version": 3, "run_id": "old", "effective_from": date(2020, 1, 2)}
    before |= {"decided_at": datetime(2020, 1, 3, tzinfo=UTC), "reason": "the first"}
    gone = mine | {"decision": "withdrawn", "run_id": "rollback", "reason": "upside down <b>"}
    gone |= {"decided_at": datetime(2023, 1, 3, tzinfo=UTC)}
    made = page(rows, writer=partial(PAGE.write, decisions=[before, mine, gone]))
    assert "Distributed training Passed the gate" in made.text
    assert "Version 7 passed the gate; by now version 3 is champion." in made.text
    assert "Champion now: version 3." in made.text
    history = made.markup[made.markup.index('id="champions"') :]
    assert history.index("withdrawn") < history.index("promoted") < history.index("the first")
    assert '<tr class="chosen"><th scope="row" class="n">3<' in history
    assert "upside down &lt;b&gt;" in history
    alone = page(rows, writer=partial(PAGE.write, decisions=[mine, gone]))
    assert "Version 7 passed the gate and was withdrawn since." in alone.text
    assert "No version is champion now." in alone.text


def test_a_comparison_with_the_champion_is_told_in_words(training_page: Callable[..., Any]) -> None:
    rows = training()
    decision(rows, compared_with=6, rank_ic_difference=0.0042, rank_ic_difference_t=1.3)
    decision(rows, rank_ic_difference_lower=-0.0011)
    made = training_page(rows)
    assert (
        "Version 6 was champion. Its hyperparameters, validated on the same dates, give a mean rank IC that "
        "is 0.0042 lower (t of the difference 1.3). That is not shown to be better"
    ) in made.text
    decision(rows, rank_ic_difference_lower=0.0011)
    assert "That is better by more than luck explains." in training_page(rows).text
    decision(rows, rank_ic_difference=None, rank_ic_difference_t=None, rank_ic_difference_lower=None)
    assert "too few to show which is better" in training_page(rows).text
    decision(rows, rank_ic_difference=0.0, rank_ic_difference_t=0.0)
    assert (
        "Version 6 was champion and has the same hyperparameters: only the data is newer, which counts"
        in (training_page(rows).text)
    )


def test_other_targets_stand_below_the_raw_one_that_the_gate_judges(
    training_page: Callable[..., Any],
) -> None:
    made = training_page(training())
    places = [made.text.index(f"Forward return{rest}") for rest in (", raw", " over", " less")]
    assert places == sorted(places)
    residual = made.row("Forward return less beta times the mean of all")
    assert residual[1:] == ["4,000", "0.0110", "2.1", "\u22120.0090"]
    rows = training()
    rows[t.SIGNAL_TARGETS].clear()
    assert "Other targets" not in training_page(rows).text


def test_folds_show_what_is_left_after_costs(training_page: Callable[..., Any]) -> None:
    made = training_page(training())
    assert made.row("1", "2005-01-03")[2:] == [
        "2005-02-14 to 2010-02-14",
        "0.0300",
        "3.0",
        "1.00 %",
        "1.00 %",
        "50 %",
        "0.80 %",
    ]
    assert made.row("All")[3:5] == ["0.0233", "2.1"]
    assert "Net: less 10 basis points of whatever is traded" in made.text


def test_a_rank_ic_too_good_to_be_true_is_called_leakage_on_real_prices(
    training_page: Callable[..., Any], page_settings: Settings
) -> None:
    rows = training()
    rows[t.SIGNAL_VALIDATION][1]["rank_ic"] = 0.12
    text = training_page(rows).text
    assert (
        "Above 0.1 in 1 fold: on real daily prices that is probable leakage until proven otherwise." in text
    )
    assert "Rank IC above 0.1 in fold 2." in text
    decision(rows, source="simulated:500x2520")
    rows[t.RUNS].clear()
    text = training_page(rows).text
    assert "leakage until proven otherwise" not in text
    assert "The signal was planted in simulated prices" in text
    assert "These prices are simulated, and a signal was planted in them." in text


def test_survivors_prove_nothing_about_alpha(
    training_page: Callable[..., Any], page_settings: Settings
) -> None:
    text = training_page(training(), sample(page_settings)).text
    assert "Twenty companies that survived prove nothing about alpha" in text
    assert "Nothing measured on them is evidence of alpha." in text
    assert "Twenty companies" not in training_page(training()).text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {},
            "Yes. 165,358 rows of 14 features take 9.3 MB, one process fitted the same model in 1.3 s, and 2 "
            "processes together took 8.0 s",
        ),
        (
            {"single_process_s": 90.0},
            "For speed, no: one process needed 90.0 s; 2 processes together took 8.0 s",
        ),
        (
            {"shards": 1, "single_process_difference": None},
            "one process fitted the model in 1.3 s. It was enough.",
        ),
        ({"resumed_from": 50}, "The fit was interrupted and went on from round 50."),
        ({"single_process_difference": 2e-8}, "differ by 2e\u221208 at most."),
        ({}, "differ by 0 at most: they are the same."),
    ],
)
def test_whether_one_process_would_have_been_enough_is_said_from_what_was_measured(
    training_page: Callable[..., Any], change: dict[str, Any], sentence: str
) -> None:
    rows = training()
    rows[t.TRAINING][0] |= change
    text = training_page(rows).text.replace("\u00a0", " ")
    assert sentence in text


def test_the_page_has_two_figures_for_page_and_phone(
    drawn_page: Callable[..., Any], page_settings: Settings
) -> None:
    made = drawn_page(training(), page_settings, PAGE.write)
    assert len(made.drawings) == 4
    assert "specific_volatility_3m" in made.drawings[2]
    assert made.text.index("momentum_12_1, momentum_6_1") > 0
    for drawing in made.drawings:
        assert "nan" not in drawing.lower()


def test_folds_without_a_rank_ic_and_a_model_without_splits_still_make_a_page(
    drawn_page: Callable[..., Any], page_settings: Settings
) -> None:
    rows = training()
    for row in rows[t.SIGNAL_VALIDATION]:
        row |= dict.fromkeys(("rank_ic", "rank_ic_t", "r2_out_of_sample", "quantile_spread", "net_spread"))
    for row in rows[t.FEATURE_IMPORTANCE]:
        row |= {"gain": 0.0, "splits": 0}
    decision(rows, rank_ic=None, rank_ic_t=None, decision="refused", reason="no date had a rank IC")
    made = drawn_page(rows, page_settings, PAGE.write)
    assert made.drawings == []
    assert "it found nothing to learn" in made.text
    assert made.row("All")[3] == "n/a"


def test_without_a_model_there_is_one_plain_line(page_settings: Settings, tmp_path: Path) -> None:
    rows = training()
    rows[t.TRAINING].clear()
    with pytest.raises(PortfolioError, match="portfolio run distributed_training"):
        PAGE.write(rows.read, page_settings, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
