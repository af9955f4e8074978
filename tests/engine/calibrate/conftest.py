"""What tests of the factor model share: levels with planted exposures, and a model built in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.settings import Settings
from acceleray.stages.calibrate.factor_model import FactorModel, build_factor_model
from acceleray.stages.ingest.factors import ingest_factors
from calibrate.factor_levels import Build, Memory, World, calibration, levels


@pytest.fixture(scope="session")
def world() -> World:
    return levels()


@pytest.fixture
def in_memory(settings: Callable[..., Settings], tmp_path: Path) -> Build:
    """Return a function from the content of a file and returns to a run and its factor model."""

    def built(content: str, returns: Panel) -> tuple[Any, FactorModel]:
        (tmp_path / "levels.csv").write_text(content, encoding="utf-8")
        source = "csv" if content else "none"
        run: Any = Memory(settings(f"factors.source={source}", f"factors.path={tmp_path / 'levels.csv'}"))
        ingest_factors(run)
        return run, build_factor_model(run, calibration(returns))

    return built
