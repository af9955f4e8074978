"""Labelled examples in single precision are those in double precision, and give the same models."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.quant.examples import Examples
from acceleray.quant.validation import WalkForwardFold
from acceleray.settings import Model
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.examples import load_examples
from acceleray.stages.train.validation import FoldTask, fit_fold, score_fold

DAYS, INSTRUMENTS, HORIZON_D = 120, 12, 5


def table() -> pa.Table:
    generator = np.random.default_rng(3)
    count = DAYS * INSTRUMENTS
    target = np.where(generator.random(count) < 0.05, np.nan, generator.uniform(-0.5, 0.5, count))
    columns = {
        "date": np.tile(np.arange(DAYS).astype("datetime64[D]"), INSTRUMENTS),
        "instrument_id": np.repeat([f"N{number:02d}" for number in range(INSTRUMENTS)], DAYS),
        "forward_return": 0.1 * target,
        "target": target,
    }
    for name in FEATURE_NAMES:
        columns[name] = np.where(generator.random(count) < 0.1, np.nan, generator.uniform(-0.5, 0.5, count))
    return pa.table(columns)


def loaded(**how: bool) -> Examples:
    run: Any = SimpleNamespace(
        arrow=lambda _table, columns, _where: table().select(columns),
        project=SimpleNamespace(feature_names=lambda: FEATURE_NAMES, features_table=lambda: None),
        settings=SimpleNamespace(features=SimpleNamespace(horizon_d=HORIZON_D)),
        as_of="2030-01-01",
    )
    return load_examples(run, **how)


def test_single_precision_rounds_features_and_nothing_else() -> None:
    double, single = loaded(), loaded(single=True)
    assert single.features.dtype == np.float32
    np.testing.assert_array_equal(single.features, double.features.astype(np.float32))
    for found in (double, single):
        assert found.newest is not None
        np.testing.assert_array_equal(found.newest, double.features[-len(found.newest) :])
        assert len(found.newest) == 5
    for name in ("target", "forward_return", "date", "instrument", "dates"):
        np.testing.assert_array_equal(getattr(single, name), getattr(double, name))


def test_models_and_their_evidence_are_the_same_to_the_bit() -> None:
    fold = WalkForwardFold(slice(0, 80), slice(85, 110))
    one = FoldTask(fold, FEATURE_NAMES, Model(rounds=40), 42, HORIZON_D, 10.0)
    models = [fit_fold(one, panel) for panel in (loaded(), loaded(single=True))]
    assert models[0] == models[1]
    double, single = (
        score_fold(replace(one, content=models[0]), panel) for panel in (loaded(), loaded(single=True))
    )
    np.testing.assert_array_equal(single.daily, double.daily)
    assert (single.rank_ic, single.r2, single.turnover) == (double.rank_ic, double.r2, double.turnover)
