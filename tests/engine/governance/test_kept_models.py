"""A registry in which a run made again finds its champion, and makes the version that it made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient

from acceleray.errors import PortfolioError
from acceleray.governance.kept_models import main, model_bytes, named
from acceleray.governance.tracking import tracking_uri
from acceleray.settings import Settings

NAME = "spark_catalog.gold.signal_sample"


def test_the_address_of_a_model_is_read_and_nothing_else_is_one() -> None:
    assert named(f"models:/{NAME}/12") == (NAME, 12)
    assert named("") is None
    assert named("runs:/abc/signal") is None


def test_a_restored_registry_has_the_champion_with_its_bytes_and_goes_on_counting(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    chosen = settings()
    (tmp_path / "model.ubj").write_bytes(b"a model")
    asked = tmp_path / "models.json"
    content = [NAME, 2, str(tmp_path / "model.ubj")]
    asked.write_text(json.dumps({"versions": {NAME: 3}, "content": content}), encoding="utf-8")
    main(chosen.project_dir, asked)
    assert model_bytes(chosen, NAME, 2) == b"a model"
    with pytest.raises(PortfolioError, match="Version 3 of"):
        model_bytes(chosen, NAME, 3)
    client = MlflowClient(tracking_uri(chosen), registry_uri=tracking_uri(chosen))
    assert client.create_model_version(NAME, tmp_path.as_uri()).version in (4, "4")
