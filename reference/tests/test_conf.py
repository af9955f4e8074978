"""Settings: every environment loads, and the definitions of stress tests and limits can be read."""

from pathlib import Path

import pytest

from acceleray.settings import load
from acceleray.stages.limits.stage import read_limits
from acceleray.stages.stress.stage import read_definitions

CONF = Path(__file__).parents[1] / "conf"
ENVIRONMENTS = sorted({path.stem for path in CONF.glob("*.yml")} - {"base", "book", "limits", "stress"})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_loads(environment: str, folder: Path) -> None:
    assert load(folder, environment).environment == environment


@pytest.mark.parametrize("name", [path.name for path in CONF.glob("stress.yml")])
def test_the_definitions_of_stress_tests_can_be_read(name: str, folder: Path) -> None:
    assert read_definitions(load(folder, "local", [f"stress.definitions={name}"])).digest


@pytest.mark.parametrize("name", [path.name for path in CONF.glob("limits.yml")])
def test_the_limits_can_be_read(name: str, folder: Path) -> None:
    assert read_limits(load(folder, "local", [f"limits.definitions={name}"])).all
