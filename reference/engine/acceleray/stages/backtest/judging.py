"""The verdict on each model by the record of one portfolio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.backtest import Verdict
from acceleray.quant.null_record import NullLaw, NullRecords
from acceleray.settings import Risk
from acceleray.settings.backtest import Backtest
from acceleray.stages.backtest.blocks import MODELS
from acceleray.stages.backtest.gate import RecordTests, decide, tested
from acceleray.stages.backtest.records import HEADLINE


@dataclass(frozen=True)
class Judged:
    """The verdict on one model: may it be used, why, and what was decided."""

    verdict: Verdict
    tests: RecordTests
    law: NullLaw
    passed: bool
    reason: str
    decision: str

    @property
    def z2(self) -> float:
        """Return Z2 of the expected shortfall over all days."""
        return self.tests.z2


def judged(
    losses: NDArray[np.float64],
    forecasts: NDArray[np.float64],
    risk: Risk,
    terms: Backtest,
    laws: Sequence[NullLaw],
    nulls: Sequence[NullRecords],
    seed: int,
    models: Sequence[str] = MODELS,
) -> dict[str, Judged]:
    """Return the verdict on each model.

    Args:
        losses: realised, of shape (days,), as shares of NAV.
        forecasts: of shape (models, 3, days): value at risk, and value at risk and expected shortfall at the
            level of the latter.
        risk: the confidence levels.
        terms: of the gate.
        laws: one a model, behind its records.
        nulls: records of a right model, for each model.
        seed: of the bootstrap.
        models: their names.
    """
    found = {}
    for model, each, law, null in zip(models, forecasts, laws, nulls, strict=True):
        result, tests = tested(losses, each, risk, null, terms.level, seed)
        passed, reason = decide(result, tests, terms)
        promoted = "promoted" if passed else "not promoted"
        decision = promoted if model == HEADLINE else "benchmark"
        found[model] = Judged(result, tests, law, passed, reason, decision)
    return found
