"""All models of the backtest side by side, as people read them at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping

from acceleray.stages.backtest.gate import MINIMUM_DAYS
from acceleray.stages.backtest.judging import Judged

NAMES = (
    "model",
    "days",
    "exceptions",
    "expected",
    "Kupiec p",
    "clusters p",
    "Basel zone",
    "Z2",
    "Z2 p",
    "exceedance p",
    "verdict",
    "decision",
)


def side_by_side(verdicts: Mapping[str, Judged]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return the cells below `NAMES`, a row for each model, and the reason of each verdict.

    The numbers are those of gold.backtest_verdicts: the Basel zone is of the last 250 days, all else of all;
    clusters are those of the dynamic quantile test, and the p-values after it of the expected shortfall.
    """
    rows = []
    for model, found in verdicts.items():
        each = found.verdict
        rows.append(
            (
                model,
                f"{each.days:,}",
                f"{each.exceptions}",
                f"{each.expected:.1f}",
                f"{each.kupiec.p_value:.2g}",
                f"{found.tests.dynamic_quantile_p:.2g}",
                each.recent_zone,
                f"{found.z2:.2f}",
                f"{found.tests.z2_p:.2g}",
                f"{found.tests.residual_p:.2g}",
                _word(found),
                found.decision,
            )
        )
    return tuple(rows), tuple(found.reason for found in verdicts.values())


def _word(found: Judged) -> str:
    if found.verdict.days < MINIMUM_DAYS:
        return "too short"
    return "passed" if found.passed else "failed"
