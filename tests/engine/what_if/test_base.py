"""Which run is asked about, read from real Delta tables, and when it cannot be."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from acceleray.engines.delta.log import table_folder
from acceleray.engines.delta.reader import reader
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.what_if.base import literal, newest_base, refuse_other_numbers
from acceleray.tables import RISK_MEASURES, RUN_TABLES, RUNS
from acceleray.tables.contract import Table

AS_OF = date(2022, 12, 28)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of a project in an empty folder."""
    return Settings.model_validate(
        {"project": {"name": "tests", "customer": "Tests"}, "project_dir": tmp_path, "seed": 5}
    )


def left(settings: Settings, table: Table, *rows: dict[str, Any]) -> None:
    """Write rows of a table, with what they leave out as NULL or empty."""
    blank = {
        "string": "",
        "long": 0,
        "double": 0.0,
        "date": AS_OF,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "boolean": False,
    }
    every = [{each.name: blank[each.type] for each in table.columns} | row for row in rows]
    write_deltalake(
        str(table_folder(settings, table)), pa.Table.from_pylist(every, schema=table.arrow_schema)
    )


def run(number: int, workload: str, **numbers: Any) -> dict[str, Any]:
    return {
        "run_id": f"run{number}",
        "workload": workload,
        "source": "csv:o'brien\\x",
        "settings_json": json.dumps(numbers),
        "finished_at": datetime(2026, 1, number, tzinfo=UTC),
    }


def wrote(number: int, *labels: str) -> list[dict[str, Any]]:
    return [{"run_id": f"run{number}", "direction": "wrote", "table_name": label} for label in labels]


BOTH = ("gold.calibration", "gold.risk_measures")


def test_the_newest_run_that_calibrated_and_simulated_is_asked_with_its_own_numbers(settings):
    numbers = {"seed": 7, "risk": {"var_confidence": 0.95}, "market_data": {"proxies": {"A": "B"}}}
    left(
        settings,
        RUNS,
        run(1, "risk_stress_testing", seed=6),
        run(3, "risk_stress_testing", **numbers),
        run(4, "hyperparameter_tuning"),
    )
    left(settings, RUN_TABLES, *wrote(1, *BOTH), *wrote(3, *BOTH), *wrote(4, BOTH[0]))
    with reader(settings) as tables:
        base = newest_base(tables, settings)
    assert (base.run_id, base.workload, base.as_of) == ("run3", "risk_stress_testing", AS_OF)
    assert (base.settings.seed, base.settings.risk.var_confidence) == (7, 0.95)
    # What the run does not say, and where things are, stays as it is today.
    assert (base.settings.risk.es_confidence, base.settings.project_dir) == (0.975, settings.project_dir)
    assert base.settings.market_data.proxies == {"A": "B"}


@pytest.mark.parametrize("labels", [(), BOTH[:1], BOTH[1:]])
def test_without_such_a_run_one_line_says_how_to_make_one(settings, labels):
    if labels:
        left(settings, RUNS, run(1, "portfolio_model_calibration"))
        left(settings, RUN_TABLES, *wrote(1, *labels))
    with (
        reader(settings) as tables,
        pytest.raises(PortfolioError, match="No run has simulated a book yet"),
    ):
        newest_base(tables, settings)


def test_settings_of_another_release_are_refused_in_one_line(settings):
    left(settings, RUNS, run(1, "risk_stress_testing", risk={"no_such": 1}))
    left(settings, RUN_TABLES, *wrote(1, *BOTH))
    line = r"^Run run1 has settings of another release; run risk_stress_testing again\.$"
    with reader(settings) as tables, pytest.raises(PortfolioError, match=line):
        newest_base(tables, settings)


def test_a_run_whose_var_is_another_one_cannot_be_asked(settings):
    left(settings, RUNS, run(1, "risk_stress_testing"))
    left(settings, RUN_TABLES, *wrote(1, *BOTH))
    reported = {
        "run_id": "run1",
        "method": "filtered_historical",
        "measure": "value_at_risk",
        "horizon_d": 1,
        "confidence": 0.99,
        "portfolio_id": "it's",
        "value_pct_nav": 3.65,
    }
    others = ({"method": "t_copula"}, {"horizon_d": 10}, {"measure": "expected_shortfall"})
    left(settings, RISK_MEASURES, reported, *({**reported, **one, "value_pct_nav": 9.0} for one in others))
    with reader(settings) as tables:
        base = newest_base(tables, settings)
        refuse_other_numbers(tables, base, {"it's": 0.0365}, 1)
        refuse_other_numbers(tables, base, {"it's": 0.0365 * (1 + 1e-13)}, 1)
        with pytest.raises(PortfolioError) as error:
            refuse_other_numbers(tables, base, {"it's": 0.0366}, 1)
        assert str(error.value) == (
            "Run run1 cannot be used any more, its data have changed: VaR of it's is 3.660000 % of NAV"
            " and was 3.650000 %; run risk_stress_testing again."
        )
        with pytest.raises(PortfolioError, match=r"^Run run1 has no VaR of P over 1 d to compare with\.$"):
            refuse_other_numbers(tables, base, {"P": 0.0365}, 1)


def test_a_text_is_a_literal_whatever_is_in_it():
    assert literal("a'b\\c") == "'a\\'b\\\\c'"
