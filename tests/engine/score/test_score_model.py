"""A model that does not know this project's features is refused, and the first difference named."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.advice import TO_TRAIN
from acceleray.errors import PortfolioError
from acceleray.governance.registry import RegisteredModel
from acceleray.quant import boosting
from acceleray.settings import Model
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.score.stage import require_features


def model(names: tuple[str, ...]) -> RegisteredModel:
    features = np.random.default_rng(1).uniform(-0.5, 0.5, (40, len(names)))
    booster = boosting.fit(features, features[:, 0], names, Model(rounds=2), seed=1)
    return RegisteredModel("models:/tests/3", boosting.saved(booster))


def test_a_model_of_the_same_features_in_the_same_order_is_accepted() -> None:
    require_features(model(FEATURE_NAMES), FEATURE_NAMES)


@pytest.mark.parametrize(
    ("names", "difference"),
    [
        (
            (FEATURE_NAMES[1], FEATURE_NAMES[0], *FEATURE_NAMES[2:]),
            f"in its order of columns, feature 1 is {FEATURE_NAMES[1]}, here it is {FEATURE_NAMES[0]}",
        ),
        ((*FEATURE_NAMES, "sentiment"), "it needs feature sentiment, which is missing here"),
        (FEATURE_NAMES[:3] + FEATURE_NAMES[4:], f"it was trained without feature {FEATURE_NAMES[3]}"),
    ],
)
def test_any_other_is_refused_in_one_line_that_names_the_first_difference(
    names: tuple[str, ...], difference: str
) -> None:
    with pytest.raises(PortfolioError) as refused:
        require_features(model(names), FEATURE_NAMES)
    assert str(refused.value) == (
        f"Model models:/tests/3 does not fit this project's features: {difference};"
        f" train it again: {TO_TRAIN}."
    )


def test_a_model_without_names_is_refused() -> None:
    import xgboost

    matrix = xgboost.DMatrix(np.zeros((4, 2)), np.arange(4.0))
    content = bytes(xgboost.train({"nthread": 1}, matrix, 1).save_raw("ubj"))
    with pytest.raises(PortfolioError, match="it does not say which features it was trained on"):
        require_features(RegisteredModel("models:/tests/3", content), FEATURE_NAMES)
