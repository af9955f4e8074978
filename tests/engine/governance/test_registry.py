"""The registry on a real MLflow in a SQLite file."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.champion import stored_content
from acceleray.governance.registry import (
    Dossier,
    RegisteredModel,
    mirror_decision,
    model_name,
    register_model,
)
from acceleray.governance.tracking import Tracker, tracked_run
from acceleray.quant.boosting import fit, saved
from acceleray.settings import Model, Settings

NAMES = ("momentum", "volatility", "beta")
EXAMPLE = pd.DataFrame([[0.5, -0.5, np.nan], [0.25, 0.0, -0.25]], columns=list(NAMES))
DOSSIER = Dossier(
    example=EXAMPLE,
    parameters={"max_depth": 3},
    metrics={"rank_ic": 0.0123},
    tags={"source": "csv:x", "delta.gold.features": "0"},
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    project = {"name": "tests", "customer": "Tests"}
    return Settings.model_validate({"project": project, "project_dir": tmp_path_factory.mktemp("project")})


@pytest.fixture(scope="module")
def tracker(settings: Settings) -> Iterator[Tracker]:
    with tracked_run(settings, "tests") as started:
        yield started


def content(rounds: int) -> bytes:
    random = np.random.default_rng(rounds)
    return saved(fit(random.normal(size=(200, 3)), random.normal(size=200), NAMES, Model(rounds=rounds), 1))


@pytest.fixture(scope="module")
def first(settings: Settings, tracker: Tracker) -> RegisteredModel:
    return register_model(settings, tracker, "run-1", "csv:x", content(3), DOSSIER)


def version(tracker: Tracker, model: RegisteredModel) -> Any:
    return tracker.client.get_model_version(model.name, str(model.version))


def test_a_model_is_registered_with_signature_real_example_order_data_version_and_evidence(
    tracker: Tracker, first: RegisteredModel
) -> None:
    import mlflow

    assert first.uri == f"models:/{first.name}/1"
    info = mlflow.models.get_model_info(first.uri)
    assert info.signature.inputs.input_names() == list(NAMES)
    example = info.load_input_example() if hasattr(info, "load_input_example") else None
    if example is not None:
        np.testing.assert_array_equal(example.to_numpy(), EXAMPLE.to_numpy())
    tags = version(tracker, first).tags
    assert tags["delta_gold_features"] == "0"
    assert (tags["source"], tags["rank_ic"], tags["run_id"]) == ("csv:x", "0.012300", "run-1")
    logged = mlflow.get_logged_model(info.model_id)
    assert logged.params["max_depth"] == "3"
    assert {metric.key: metric.value for metric in logged.metrics}["rank_ic"] == pytest.approx(0.0123)
    assert tracker.client.get_registered_model(first.name).aliases == {"challenger": 1}


def test_the_same_run_with_the_same_bytes_finds_its_version_again(
    settings: Settings, tracker: Tracker, first: RegisteredModel
) -> None:
    assert register_model(settings, tracker, "run-1", "csv:x", first.content, DOSSIER) == first
    other = register_model(settings, tracker, "run-2", "csv:x", first.content, DOSSIER)
    assert other.version == 2


def test_the_bytes_come_back_as_they_were(
    settings: Settings, tracker: Tracker, first: RegisteredModel
) -> None:
    assert stored_content(settings, tracker.client, first.name, first.version) == first.content


def test_bytes_that_have_changed_are_refused(settings: Settings, tracker: Tracker) -> None:
    model = register_model(settings, tracker, "run-3", "csv:changed", content(4), DOSSIER)
    (file,) = (
        path
        for path in (settings.state_dir / "mlflow").rglob("model.ubj")
        if path.read_bytes() == model.content
    )
    file.write_bytes(content(5))
    with pytest.raises(PortfolioError, match="its bytes have changed; do not use it"):
        stored_content(settings, tracker.client, model.name, model.version)


def test_a_model_that_is_gone_is_one_plain_line(
    settings: Settings, tracker: Tracker, first: RegisteredModel
) -> None:
    with pytest.raises(PortfolioError, match="is no longer in the MLflow registry"):
        stored_content(settings, tracker.client, first.name, 99)


def test_decisions_are_mirrored_in_aliases_and_tags(settings: Settings, tracker: Tracker) -> None:
    client = tracker.client
    one, two = (
        register_model(settings, tracker, f"run-{number}", "csv:aliases", content(number), DOSSIER)
        for number in (6, 7)
    )

    def aliases() -> dict[str, str]:
        return {name: str(number) for name, number in client.get_registered_model(one.name).aliases.items()}

    mirror_decision(client, one.name, 2, "promoted", date(2020, 1, 2), 2)
    assert aliases() == {"champion": "2"}
    assert version(tracker, two).tags["decision"] == "promoted"
    assert version(tracker, two).tags["effective_from"] == "2020-01-02"
    mirror_decision(client, one.name, 2, "withdrawn", date(2020, 1, 2), 1)
    mirror_decision(client, one.name, 2, "withdrawn", date(2020, 1, 2), 1)
    assert aliases() == {"champion": "1"}
    mirror_decision(client, one.name, 1, "withdrawn", date(2020, 1, 2), None)
    assert aliases() == {}


def test_each_source_has_a_name_of_its_own(settings: Settings) -> None:
    names = {
        source: model_name(settings, source)
        for source in (
            "sample",
            "csv:sample",
            "csv-sample",
            "simulated:500x2520",
            "csv:ÄÖ",
            "csv:" + "x" * 500,
        )
    }
    assert names["sample"] == "spark_catalog.gold.signal_sample"
    assert len(set(names.values())) == len(names)
    for name in names.values():
        part = name.split(".")[-1]
        assert part.replace("_", "").isalnum()
        assert part.isascii()
        assert len(part) <= 80


def test_nothing_is_written_outside_the_state_folder(settings: Settings, first: RegisteredModel) -> None:
    assert {path.name for path in Path(settings.project_dir).iterdir()} == {"var"}
