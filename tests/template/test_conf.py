"""The generated settings files and the settings model say the same."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from acceleray.errors import PortfolioError
from acceleray.settings import Settings, known_names, load
from acceleray.settings.bundle_names import short_name
from acceleray.settings.sections import Project
from conftest import Answers, answers_of

# Decided by each environment, or by whoever starts a run.
ELSEWHERE = {"environment", "profile", "project_dir", "as_of", "anew"}


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
@pytest.mark.parametrize("name", ["minimal", "aws", "azure", "gcp"])
def test_the_settings_of_every_environment_load(
    name: str, environment: str, described: Callable[[Answers], Path]
) -> None:
    settings = load(described(answers_of(name)), environment)
    assert settings.profile == ("local" if environment == "local" else "databricks")
    if environment != "local" and name == "aws":
        assert settings.catalog.name == "risk"
        own = f"market_dev_{short_name(getpass.getuser())}"
        prefix = {"dev": own, "staging": "market_staging", "prod": "market"}[environment]
        assert settings.catalog.gold == f"{prefix}_gold"


def test_an_environment_that_is_not_there_is_refused_in_one_line(defaults: Path) -> None:
    with pytest.raises(PortfolioError, match="environments here: dev, local, prod, staging"):
        load(defaults, "production")


def test_base_conf_lists_every_setting(defaults: Path) -> None:
    base = yaml.safe_load((defaults / "conf/base.yml").read_text(encoding="utf-8"))
    listed = set()
    for key, value in base.items():
        listed |= {f"{key}.{inner}" for inner in value} if isinstance(value, dict) else {key}
    expected = {name for name in known_names() if name not in ELSEWHERE and not name.startswith("catalog.")}
    assert listed == expected


def test_base_conf_states_the_defaults_of_the_model(defaults: Path) -> None:
    loaded = load(defaults).model_dump(exclude={"project_dir", "project"})
    model = Settings(project=Project(name="x", customer="y")).model_dump(exclude={"project_dir", "project"})
    assert loaded == model


def test_the_bundle_creates_the_schemas_that_the_settings_name(described: Callable[[Answers], Path]) -> None:
    project = described(answers_of("azure"))
    bundle = yaml.safe_load((project / "databricks.yml").read_text(encoding="utf-8"))
    for environment in ("dev", "staging", "prod"):
        variables = bundle["targets"][environment]["variables"]
        # As the jobs of a target pass it.
        passed = [f"var.{name}={variables[name]}" for name in ("catalog", "schema_prefix")]
        catalog = load(project, environment, passed).catalog
        assert catalog.name == variables["catalog"]
        for layer in ("bronze", "silver", "gold"):
            assert getattr(catalog, layer) == f"{variables['schema_prefix']}_{layer}"
