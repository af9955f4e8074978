"""conf/limits.yml: what can be meant is read, and what cannot is one line before anything starts."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceleray.cli import main
from acceleray.errors import PortfolioError
from acceleray.settings import load
from acceleray.stages.book.holdings import receive_files
from acceleray.stages.book.stage import Incoming
from acceleray.stages.limits.definitions import Limits, read_limits, refuse_unknown_portfolios
from acceleray.stages.limits.stage import limits_for
from portfolio import PROJECT

ENTRY = "id: var, measure: value_at_risk, portfolio: '*', limit: 4 %, owner: Desk, valid_from: 2020-01-01"


def project(folder: Path, text: str | None) -> Path:
    (folder / "conf").mkdir()
    (folder / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (folder / "conf" / "local.yml").write_text("")
    if text is not None:
        (folder / "conf" / "limits.yml").write_text(text, encoding="utf-8")
    return folder


def limits(*entries: str) -> str:
    return "limits:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def read(folder: Path, text: str | None) -> Limits:
    return read_limits(load(project(folder, text)))


def test_a_limit_is_read_with_the_defaults_of_its_measure(tmp_path: Path) -> None:
    [limit] = read(tmp_path, limits(ENTRY)).all
    assert (limit.amount.value, limit.amount.unit) == (4.0, "% of NAV")
    assert (limit.horizon_d, limit.method, limit.warning) == (1, "filtered_historical", 0.8)
    assert (limit.valid_from, limit.valid_until) == (date(2020, 1, 1), None)


def test_a_limit_counts_from_its_first_day_to_its_last(tmp_path: Path) -> None:
    found = read(tmp_path, limits(f"{ENTRY}, valid_until: 2020-12-31"))
    counts = [
        len(found.on(date(*day))) for day in ((2019, 12, 31), (2020, 1, 1), (2020, 12, 31), (2021, 1, 1))
    ]
    assert counts == [0, 1, 1, 0]


def test_without_a_file_there_are_no_limits_and_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert read(tmp_path, None) == Limits("conf/limits.yml", "", ())
    with pytest.raises(PortfolioError, match=r"There is no file .*mine.yml; set limits.definitions to one"):
        read_limits(load(tmp_path, overrides=["limits.definitions=mine.yml"]))


def test_the_digest_follows_every_byte(tmp_path: Path) -> None:
    first = read(tmp_path, limits(ENTRY)).digest
    (tmp_path / "conf" / "limits.yml").write_text(limits(ENTRY) + "# a remark\n")
    assert read_limits(load(tmp_path)).digest != first != ""


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (
            ENTRY.replace("value_at_risk", "value_at_rsik"),
            "var, measure: unknown measure 'value_at_rsik'; did you mean value_at_risk?",
        ),
        (
            ENTRY.replace("4 %", "4"),
            "var, limit: '4' has no unit; write for example '4 %' of NAV, '50000 USD' or '10 days'.",
        ),
        (
            ENTRY.replace("4 %", "'50,000 USD'"),
            "var, limit: '50,000 USD' is not a limit; write for example '4 %' of NAV, '50000 USD' or "
            "'10 days'.",
        ),
        (ENTRY.replace("4 %", "0 %"), "var, limit: '0 %' must be above zero."),
        (
            ENTRY.replace("4 %", "4 days"),
            "var, limit: '4 days' does not fit value_at_risk; write for example '4 %' or '50000 USD'.",
        ),
        (f"{ENTRY}, warning: 1.5", "var, warning: Input should be less than or equal to 1, not 1.5."),
        (f"{ENTRY}, warnng: 0.5", "var, warnng: unknown key; did you mean warning?"),
        (ENTRY.replace(", owner: Desk", ""), "var, owner: is missing."),
        (
            f"{ENTRY}, horizon_d: 5",
            "var, horizon_d: 5 days are not simulated; simulation.horizons_d has 1, 10.",
        ),
        (f"{ENTRY}, method: copula", "var, method: unknown method 'copula'; did you mean t_copula?"),
        (f"{ENTRY}, scenario: worst", "var, scenario: does not belong to value_at_risk; remove it."),
        (
            f"{ENTRY}, valid_until: 2019-01-01",
            "var, valid_until: 2019-01-01 is before valid_from, 2020-01-01.",
        ),
        (f"{ENTRY}, group_value: Energy", "var, group_value: needs group, the column that it is a value of."),
        (ENTRY.replace("value_at_risk", "weight"), "var, group: is missing; weight needs it."),
        (ENTRY.replace("value_at_risk", "stress_loss"), "var, scenario: is missing; stress_loss needs it."),
    ],
)
def test_what_cannot_be_meant_is_one_line_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], entry: str, says: str
) -> None:
    project(tmp_path, limits(entry))
    code = main(PROJECT, ["run", "end_to_end_pipeline", "--project", str(tmp_path)])
    out, error = capsys.readouterr()
    assert (code, out, error) == (2, "", f"Error: conf/limits.yml, {says}\n")
    # Neither the lock nor MLflow nor Spark has left anything.
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (limits(ENTRY, ENTRY), "conf/limits.yml, var, id: two limits have it; make it unique."),
        (limits(ENTRY.replace("'*'", "*")), 'conf/limits.yml: put the star in quotes, portfolio: "*".'),
        ("limit: []\n", "conf/limits.yml, limit: unknown key; did you mean limits?"),
        ("[]\n", "conf/limits.yml must hold limits."),
    ],
)
def test_what_is_no_file_of_limits_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PortfolioError) as refused:
        read(tmp_path, text)
    assert str(refused.value) == says


def test_a_stress_limit_names_a_scenario_of_the_stress_file(tmp_path: Path) -> None:
    entry = ENTRY.replace("value_at_risk", "stress_loss") + ", scenario: crsh"
    project(tmp_path, limits(entry))
    # Without stress tests there is nothing to compare it with, which the stage says.
    assert read_limits(load(tmp_path)).all[0].scenario == "crsh"
    stress = "replays: [{id: crash, title: Crash, first: 2019-03-04, last: 2019-06-28}]\n"
    (tmp_path / "conf" / "stress.yml").write_text(stress)
    with pytest.raises(PortfolioError, match=r"var, scenario: unknown scenario 'crsh'; did you mean crash\?"):
        read_limits(load(tmp_path))


def test_a_limit_on_a_portfolio_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, limits(ENTRY.replace("'*'", "GROWHT")))
    refuse_unknown_portfolios(found, {"GROWHT"})
    with pytest.raises(PortfolioError) as refused:
        refuse_unknown_portfolios(found, ["GROWTH", "VALUE"])
    assert str(refused.value) == (
        "conf/limits.yml, var, portfolio: no portfolio 'GROWHT' in the book; did you mean GROWTH?"
    )


def test_it_is_refused_as_soon_as_the_book_is_received_and_before_anything_is_written(tmp_path: Path) -> None:
    project(tmp_path, limits(ENTRY.replace("'*'", "GROWHT")))
    # It has settings and no tables: nothing could be written.
    run: Any = SimpleNamespace(settings=load(tmp_path, overrides=["book.portfolios=3"]))
    folder = files("acceleray.stages.book") / "sample"
    names = [Path(str(folder / f"{name}.csv")) for name in ("positions", "portfolios", "instruments")]
    with pytest.raises(PortfolioError, match="no portfolio 'GROWHT' in the book; did you mean GROWTH"):
        limits_for(run, Incoming("sample", receive_files(*names)))
    with pytest.raises(PortfolioError, match="the book has REFERENCE, SIM-000001, SIM-000002"):
        limits_for(run, Incoming("simulated"))
    (tmp_path / "conf" / "limits.yml").write_text(limits(ENTRY.replace("'*'", "SIM-000002")))
    assert len(limits_for(run, Incoming("simulated")).all) == 1
