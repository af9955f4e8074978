from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.scoring.page import PAGE
from report.invented_rows import AS_OF, KEYS, Rows

MODEL = "models:/tests/7"
NAMES = tuple(f"N{number:02d}" for number in range(30))


@pytest.fixture
def scoring_page(page: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that writes the page of a batch, with empty pictures."""
    return lambda rows, *settings: page(rows, *settings, writer=writer(rows))


def writer(rows: Rows) -> Callable[..., Any]:
    """Return what writes the page, given the decisions among the rows."""
    return lambda *given: PAGE.write(*given, decisions=rows[t.MODEL_DECISIONS])


@pytest.fixture
def batch(run_rows: Callable[..., Rows]) -> Callable[..., Rows]:
    """Return a function that invents the rows of a batch."""

    def make(names: tuple[str, ...] = ("AAA", "BBB", "CCC"), portfolios: int = 12, **more: Any) -> Rows:
        rows = run_rows(names, portfolios=portfolios, **more)
        for row in rows[t.RUNS]:
            row |= {"workload": "batch_inference"}
        touched = {"stage": "score", "direction": "wrote", "table_name": t.PREDICTIONS.label, "version": 1}
        count = {"row_count": len(rows[t.PREDICTIONS]), "fingerprint": "ef" * 8}
        rows[t.RUN_TABLES].append(KEYS | touched | count)
        _decisions(rows)
        _parts(rows, list(names))
        return rows

    return make


def _decisions(rows: Rows) -> None:
    for version, decision, day in ((6, "promoted", 10), (7, "promoted", 20), (8, "refused", 28)):
        rows[t.MODEL_DECISIONS].append(
            {
                "run_id": f"train-{version}",
                "as_of": date(2022, 12, day),
                "source": "csv:prices.csv",
                "model_name": "tests",
                "model_version": version,
                "model_uri": f"models:/tests/{version}",
                "decision": decision,
                "effective_from": date(2022, 12, day),
                "features_contract": "ab",
                "rank_ic": 0.0123,
                "rank_ic_t": 1.7,
                "reason": f"reason {version}",
                "decided_at": datetime(2022, 12, day, 7, tzinfo=UTC),
            }
        )


def _parts(rows: Rows, names: list[str]) -> None:
    """Give every portfolio components that add up to its expected shortfall, and exposures."""
    rows.tables[t.RISK_CONTRIBUTIONS.label] = []
    chosen = {"method": "filtered_historical", "measure": "expected_shortfall", "confidence": 0.975}
    chosen |= {"currency": "EUR"}
    for place, row in enumerate(rows[t.PORTFOLIO_SCORES]):
        one = KEYS | {"portfolio_id": row["portfolio_id"]}
        sizes = [number + 2.0 for number in range(len(names))]
        for name, size in zip(names, sizes, strict=True):
            part = {"instrument_id": name, "contribution": 1e4 * row["es_pct_nav"] * size / sum(sizes)}
            for horizon_d in (1, 10):
                rows[t.RISK_CONTRIBUTIONS].append(one | chosen | part | {"horizon_d": horizon_d})
        for factor, beta in (("equity", 1.0), ("oil", -0.1)):
            value = {"factor_id": factor, "exposure": beta * (1 + 0.1 * place), "covered_pct_nav": 100.0}
            rows[t.PORTFOLIO_EXPOSURES].append(one | value)


def _quarantine(rows: Rows, name: str, reason: str, day: date = AS_OF) -> None:
    rows[t.PREDICTIONS_QUARANTINED].append(
        KEYS | {"instrument_id": name, "feature_date": day, "reason": reason}
    )


def test_rows_in_are_rows_scored_and_quarantined_with_their_reasons(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    made = scoring_page(batch())
    assert "Portfolio batch scoring Every row scored" in made.text
    assert "3 rows came in and every one was scored." in made.text
    rows = batch()
    _quarantine(rows, "DDD", "ended on 2022-11-01: no price for more than 10 trading days", date(2022, 11, 1))
    _quarantine(rows, "EEE", "ended on 2021-11-01: no price for more than 10 trading days", date(2021, 11, 1))
    _quarantine(rows, "FFF", "beta_12m is 0.75, not from -0.5 to 0.5")
    made = scoring_page(rows)
    assert "Portfolio batch scoring Some rows quarantined" in made.text
    assert "6 rows came in: 3 were scored, 3 quarantined with a reason, none was lost." in made.text
    assert "Rows in 6 Scored 3 Quarantined 3 Portfolios, in and out 12" in made.text
    ended = made.row("The instrument has ended: no price for too long")
    assert ended[1:3] == ["2", "2"]
    assert "DDD, 2022-11-01: ended on 2022-11-01" in ended[3]
    assert made.row("A feature outside its contract")[3] == (
        "FFF, 2022-12-28: beta_12m is 0.75, not from -0.5 to 0.5"
    )


def test_the_champion_is_shown_with_its_reason_and_other_decisions(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch()
    made = scoring_page(rows)
    assert "of version 7 of the signal model, champion since 20 December 2022." in made.text
    assert made.row("Why promoted") == ["Why promoted", "reason 7"]
    assert made.row("Rank IC out of sample")[1] == "0.0123 (t 1.7)"
    assert made.row("8")[1:3] == ["refused", "2022-12-28"]
    # A later decision is shown as one that the date did not know.
    rows[t.MODEL_DECISIONS][2]["effective_from"] = date(2023, 1, 5)
    assert scoring_page(rows).row("8")[2] == "2023-01-05 after the as-of date"
    rows[t.MODEL_DECISIONS].clear()
    assert "when it became champion is not recorded" in scoring_page(rows).text


def test_without_a_champion_the_page_says_so_and_shows_risk_alone(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch()
    rows[t.PREDICTIONS].clear()
    for row in rows[t.RUN_TABLES]:
        row["row_count"] = 0
    for row in rows[t.PORTFOLIO_SCORES]:
        row |= {"model_uri": "", "expected_score": 0.0, "unscored_pct_nav": 100.0}
    for row in rows[t.MODEL_DECISIONS]:
        row["decision"] = "refused"
    del rows[t.MODEL_DECISIONS][1:]
    made = scoring_page(rows)
    assert "Portfolio batch scoring No champion, no scores" in made.text
    assert "There are no scores: the gate refused every version of the signal model" in made.text
    assert "every one was scored" not in made.text
    assert made.row("6")[1:3] == ["refused", "2022-12-10"]
    assert "In the worst" in made.text


def test_scores_are_ranked_and_the_ends_shown(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch(NAMES)
    for place, row in enumerate(rows[t.PREDICTIONS]):
        row["score"] = 0.01 * (place - 10)
    made = scoring_page(rows)
    assert made.row("N29")[2:] == ["0.1900", "2022-12-28"]
    assert made.row("N00")[2:] == ["\u22120.1000", "2022-12-28"]
    with pytest.raises(AssertionError, match="no row starts"):
        made.row("N15")
    assert len(made.row("N20")) == len(made.row("N09")) == 4
    with pytest.raises(AssertionError, match="no row starts"):
        made.row("N19")


def test_the_riskiest_come_first_with_what_makes_them_risky(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch()
    scores = rows[t.PORTFOLIO_SCORES]
    scores[5]["es_pct_nav"], scores[5]["var_pct_nav"] = 12.5, 12.0
    for row in rows[t.RISK_CONTRIBUTIONS]:
        if row["portfolio_id"] == "SIM-000005":
            row["contribution"] = 1e4 * 12.5 * {"AAA": 0.7, "BBB": 0.4, "CCC": -0.1}[row["instrument_id"]]
    made = scoring_page(rows)
    line = made.row("Simulated portfolio 5")
    assert line[1:4] == ["EUR 125,000", "12.50 %", "12.00 %"]
    assert line[-1] == "AAA 70 %, BBB 40 %"
    assert "the riskiest, Simulated portfolio 5, 12.50 %." in made.text
    assert "In 1 of these 10 one instrument makes more than half of the risk." in made.text
    assert "In each portfolio they add up to its expected shortfall" in made.text
    assert "or a red one that hedges" in made.text
    rows[t.RISK_CONTRIBUTIONS][0]["contribution"] *= 1.5
    assert "They miss the expected shortfall of a portfolio by up to" in scoring_page(rows).text


def test_exposures_stand_beside_those_of_the_book_and_tell_what_they_leave_out(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch()
    made = scoring_page(rows)
    assert made.row("Book: median")[1:] == ["1.550", "\u22120.155"]
    # The reference has the least of equity and the most of oil, whose betas are negative.
    assert made.row("Equal-weight reference", "1.000", "\u22120.100")
    assert "without a beta" not in made.text
    rows[t.PORTFOLIO_EXPOSURES][0]["covered_pct_nav"] = 80.0
    made = scoring_page(rows)
    assert "1 portfolio holds something without a beta" in made.text
    assert made.row("Equal-weight reference", "1.000 80 % of NAV")


def test_what_is_not_priced_is_said_with_its_reason(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch(rejected={"CCC": "too few returns"})
    for row in rows[t.PORTFOLIO_SCORES][:2]:
        row |= {"unpriced_pct_nav": 33.3, "unscored_pct_nav": 10.0}
    made = scoring_page(rows)
    assert "2 portfolios hold something without a calibrated model, up to 33.3 % of NAV" in made.text
    assert "too few returns" in made.row("CCC")[-1]
    assert "Portfolios with something not scored 2 largest share 10.0 % of NAV" in made.text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"source": "sample"}, "3 survivors prove nothing about alpha"),
        ({"source": "csv", "path": "prices.csv"}, "is a record of survivors and proves nothing about alpha"),
        ({"source": "simulated"}, "hold a signal that was planted in them"),
    ],
)
def test_the_page_says_what_scores_do_not_prove(
    batch: Callable[..., Rows],
    scoring_page: Callable[..., Any],
    page_settings: Any,
    source: dict[str, str],
    said: str,
) -> None:
    rows = batch()
    rows[t.RUNS][0]["source"] = source["source"]
    data = page_settings.market_data.model_copy(update=source)
    assert said in scoring_page(rows, page_settings.model_copy(update={"market_data": data})).text


def test_of_a_long_history_only_the_newest_date_is_read(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any], page_settings: Any
) -> None:
    rows = batch()
    older = [row | {"feature_date": date(2022, 12, 27), "score": 0.4} for row in rows[t.PREDICTIONS]]
    rows.tables[t.PREDICTIONS.label] = older + rows[t.PREDICTIONS]
    rows[t.RUN_TABLES][-1]["row_count"] = 6
    score = page_settings.score.model_copy(update={"history_d": 2})
    made = scoring_page(rows, page_settings.model_copy(update={"score": score}))
    assert "0.4000" not in made.text
    assert "These scores are not a backtest" in made.text.replace("these scores", "These scores")
    assert "6 rows came in" in made.text


def test_figures_are_drawn_and_text_is_escaped(
    batch: Callable[..., Rows], drawn_page: Callable[..., Any]
) -> None:
    rows = batch((*NAMES, "<b>&evil"))
    made = drawn_page(rows, writer=writer(rows))
    # Scores, risk and components, each for the page and for a phone.
    assert len(made.drawings) == 6
    assert "<b>&evil" not in made.markup
    again = batch((*NAMES, "<b>&evil"))
    assert made.markup == drawn_page(again, writer=writer(again)).markup


def test_a_run_without_portfolios_has_no_page(
    batch: Callable[..., Rows], scoring_page: Callable[..., Any]
) -> None:
    rows = batch()
    rows[t.PORTFOLIO_SCORES].clear()
    with pytest.raises(PortfolioError, match="no scored portfolio to report on"):
        scoring_page(rows)
