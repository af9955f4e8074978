import hashlib
from datetime import date
from pathlib import Path

import pytest

from acceleray.errors import PortfolioError
from acceleray.stages.stress.definitions import KNOWN_FACTORS, read_definitions
from rendered import TEMPLATE
from stress.invented import defined, project

SHIPPED = TEMPLATE / "conf" / "stress.yml"
REPLAY = "replays: [{id: crash, title: Crash, first: 2008-09-01, last: 2008-11-20}]\n"
SHOCK = "hypothetical: [{id: fall, title: Fall, shocks: {equity: '-30 %'}}]\n"
SUPERVISORY = (
    "supervisory: [{id: fed, title: Fed, origin: Board, variables: ["
    "{variable: Equities, published: -58 %, factor: equity, shock: '-58 %', mapping: S&P}, "
    "{variable: House prices, published: -30 %, not_mapped: none held}]}]\n"
)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(PortfolioError) as caught:
        defined(folder, text)
    line = str(caught.value)
    assert line.startswith("conf/stress.yml")
    assert "\n" not in line
    return line


def test_the_shipped_file_is_valid_and_holds_what_a_risk_manager_expects(tmp_path: Path) -> None:
    found = defined(tmp_path, SHIPPED.read_text(encoding="utf-8"))
    assert len(found.replays) == 5
    assert {each.kind for each in found.shocks} == {"hypothetical", "supervisory"}
    assert found.reverse_targets == (0.1, 0.2, 0.3)
    fed = next(each for each in found.shocks if each.scenario_id == "fed_2026_severely_adverse")
    published = " ".join(each.published for each in fed.variables)
    assert all(headline in published for headline in ("10 %", "-58 %", "72 %", "5.7 pp", "-30 %", "-39 %"))
    eba = next(each for each in found.shocks if each.scenario_id == "eba_2025_adverse")
    assert (fed.horizon_m, eba.horizon_m) == (12.0, 36.0)
    headlines = {each.name: each.published for each in eba.variables}
    # EBA, 2025 EU-wide stress test, adverse scenario: output lost over the three years, and unemployment.
    assert headlines["EU real GDP"].startswith("-6.3 % cumulatively")
    assert headlines["EU unemployment rate"] == "+6.1 pp"
    assert len(headlines) == 2
    assert all(each.mapping for scenario in found.shocks for each in scenario.variables)


def test_every_kind_of_scenario_is_read_as_written(tmp_path: Path) -> None:
    found = defined(tmp_path, REPLAY + SHOCK + SUPERVISORY + "reverse: {losses: ['20 %', '10 %']}\n")
    assert (found.replays[0].first, found.replays[0].last) == (date(2008, 9, 1), date(2008, 11, 20))
    fall, fed = found.shocks
    assert (fall.scenario_id, fall.kind, fall.variables[0].factor) == ("fall", "hypothetical", "equity")
    assert (fed.kind, fed.origin) == ("supervisory", "Board")
    assert [each.factor for each in fed.variables] == ["equity", None]
    assert found.reverse_targets == (0.1, 0.2)


def test_the_digest_is_the_sha_256_of_the_file_and_changes_with_it(tmp_path: Path) -> None:
    assert defined(tmp_path, SHOCK).digest == hashlib.sha256(SHOCK.encode()).hexdigest()
    assert defined(tmp_path, SHOCK).digest != defined(tmp_path, SHOCK.replace("30", "31")).digest


def test_a_section_may_be_missing_or_commented_out(tmp_path: Path) -> None:
    found = defined(tmp_path, SHOCK + "replays:\n#  - id: none\n")
    assert (found.replays, found.reverse_targets) == ((), ())


def test_an_unknown_factor_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    line = refused(tmp_path, SHOCK.replace("equity", "equities"))
    expected = "conf/stress.yml, fall, shocks.equities: unknown factor 'equities'; did you mean equity?"
    assert line == expected
    assert "known are credit, equity, oil, volatility." in refused(tmp_path, SHOCK.replace("equity", "zzz"))


def test_factors_of_ones_own_file_are_known(tmp_path: Path) -> None:
    text = SHOCK.replace("equity", "dollar")
    (tmp_path / "factors.csv").write_text("Date,dollar,equity\n2020-01-01,1,2\n", encoding="utf-8")
    own = project(tmp_path, text, factors__source="csv", factors__path="factors.csv")
    assert read_definitions(own).shocks[0].variables[0].factor == "dollar"
    assert read_definitions(project(tmp_path, text), ["dollar"]).shocks
    with pytest.raises(PortfolioError, match="unknown factor 'dollar'"):
        read_definitions(project(tmp_path, text))


def test_which_factors_are_in_points_is_a_setting(tmp_path: Path) -> None:
    text = SHOCK.replace("equity: '-30 %'", "rates: '+100 bp'")
    settings = project(tmp_path, text, factors__points="[rates]")
    shock = read_definitions(settings, ["rates"]).shocks[0].variables[0].shock
    assert shock is not None
    assert shock.change(True, 3.0) == 1.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHOCK.replace("'-30 %'", "-30"), "fall, shocks.equity: '-30' has no unit"),
        (SHOCK.replace("'-30 %'", "'+2 pp'"), "fall, shocks.equity: '+2 pp' does not fit equity"),
        (SHOCK.replace("equity", "credit"), "fall, shocks.credit: '-30 %' does not fit credit"),
        (SHOCK.replace("'-30 %'", "[1]"), "fall, shocks.equity: "),
        (SHOCK.replace("{equity: '-30 %'}", "{}"), "fall, shocks: "),
        (REPLAY + SHOCK.replace("id: fall", "id: crash"), "crash, id: two scenarios have it"),
        (
            REPLAY.replace("2008-09-01", "2009-09-01"),
            "crash, first: 2009-09-01 is not before last, 2008-11-20",
        ),
        (REPLAY.replace("2008-09-01", "2008-11-20"), "crash, first: 2008-11-20 is not before last"),
        (REPLAY.replace("2008-09-01", "'2008'"), "crash, first: Input should be a valid date"),
        (REPLAY.replace(", last: 2008-11-20", ""), "crash, last: is missing."),
        (REPLAY.replace("id: crash", "id: Crash 08"), "Crash 08, id: "),
        (REPLAY.replace("id: crash", "id: 08"), "id: "),
        (REPLAY.replace("title: Crash", "titel: Crash"), "crash"),
        (REPLAY.replace("title: Crash", "title: Crash, titel: C"), "crash, titel: unknown key; did you mean"),
        ("replay: []\n", "replay: unknown key; did you mean replays?"),
        ("replays: 5\n", "replays: Input should be a valid list, not 5."),
        ("replays: [5]\n", "replays 1: "),
        (SHOCK + SHOCK, "the key 'hypothetical' is there twice"),
        (SHOCK.replace("{equity:", "{equity: '+1 %', equity:"), "the key 'equity' is there twice"),
        ("[1, 2]\n", "must hold replays"),
        ("", "must hold replays"),
        ("replays: [{\n", "is not valid YAML"),
        ("replays: [{first: 2008-13-45}]\n", "is not valid YAML"),
        ("reverse: {losses: [10]}\n", "reverse.losses: '10' is not a loss"),
        ("reverse: {losses: ['10 %', '10.0 %']}\n", "reverse.losses: a loss is there twice"),
        (
            SUPERVISORY.replace(", mapping: S&P", ""),
            "fed, variables.Equities: give factor, shock and mapping",
        ),
        (
            SUPERVISORY.replace("shock: '-58 %', ", ""),
            "fed, variables.Equities: give factor, shock and mapping",
        ),
        (
            SUPERVISORY.replace("mapping: S&P", "mapping: S&P, not_mapped: never"),
            "not_mapped excludes factor",
        ),
        (SUPERVISORY.replace("House prices", "Equities"), "fed, variables: 'Equities' is there twice"),
        (
            SUPERVISORY.replace("not_mapped: none held", "factor: equity, shock: '-30 %', mapping: x"),
            "fed, variables: two variables are mapped to equity",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line_with_scenario_and_key(
    tmp_path: Path, text: str, says: str
) -> None:
    assert says in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("correlations", "says"),
    [
        ("{between: [equity, credit], correlation: -1.1}", "fall, correlations.0.correlation: "),
        ("{between: [equity, credits], correlation: 0.1}", "unknown factor 'credits'; did you mean credit?"),
        ("{between: [equity], correlation: 0.1}", "fall, correlations.0.between: "),
        ("{between: [equity, equity], correlation: 1.0}", "between two different factors"),
        (
            "{between: [equity, oil], correlation: 0.1}, {between: [oil, equity], correlation: 0.2}",
            "fall, correlations.equity-oil: is there twice",
        ),
    ],
)
def test_a_correlation_that_cannot_be_is_refused(tmp_path: Path, correlations: str, says: str) -> None:
    assert says in refused(tmp_path, SHOCK.replace("}}]", f"}}, correlations: [{correlations}]}}]"))


def test_a_missing_file_is_refused_with_the_setting_that_names_it(tmp_path: Path) -> None:
    settings = project(tmp_path, SHOCK, stress__definitions="other.yml")
    with pytest.raises(PortfolioError, match=r"There is no file .*other\.yml; set stress\.definitions"):
        read_definitions(settings)


def test_known_factors_are_those_of_the_sample() -> None:
    assert KNOWN_FACTORS == ("credit", "equity", "oil", "volatility")


def test_a_scenario_takes_as_long_as_it_says(tmp_path: Path) -> None:
    shock, path = (defined(tmp_path, text).shocks[0] for text in (SHOCK, SUPERVISORY))
    assert (shock.horizon_m, path.horizon_m) == (1.0, 12.0)
    longer = SHOCK.replace("title: Fall", "title: Fall, horizon_m: 4.5")
    assert defined(tmp_path, longer).shocks[0].horizon_m == 4.5
    assert "fall, horizon_m" in refused(tmp_path, longer.replace("4.5", "0"))
    assert "crash, horizon_m: unknown key" in refused(
        tmp_path, REPLAY.replace("first:", "horizon_m: 3, first:")
    )
