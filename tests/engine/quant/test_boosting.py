"""Where the signal model is fitted, and that the CPU's bits do not depend on its being named."""

import numpy as np
import pytest
import xgboost

from acceleray.quant.boosting import fit, parameters, saved
from acceleray.settings import Model

NAMES = ("a", "b", "c")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_device_is_the_models(device: str) -> None:
    model = Model.model_validate({"device": device})
    assert parameters(model, 1)["device"] == device
    assert parameters(Model(), 1)["device"] == "cpu"


def test_naming_the_cpu_changes_no_bit() -> None:
    random, model = np.random.default_rng(1), Model(rounds=20, subsample=0.7)
    features, target = random.normal(size=(300, 3)), random.normal(size=300)
    unnamed = {name: value for name, value in parameters(model, 7).items() if name != "device"}
    matrix = xgboost.QuantileDMatrix(features, target, feature_names=list(NAMES), nthread=1)
    without = xgboost.train(unnamed, matrix, model.rounds)
    assert saved(fit(features, target, NAMES, model, 7)) == saved(without)
