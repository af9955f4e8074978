"""How many discoveries are false: the tests of many panels in which it is known which signals are true."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.multiple_testing import benjamini_hochberg, benjamini_yekutieli
from acceleray.quant.signals import forward_returns
from acceleray.stages.signals.measures import tested
from signals.planted import panel

DAYS, INSTRUMENTS, HORIZONS_D = 1250, 20, (5, 21)
# Of twelve signals eight know nothing; the others from hardly anything to what any test would find.
STRENGTHS = (0.01, 0.02, 0.03, 0.05, *(0.0,) * 8)
RATES = (0.05, 0.10, 0.20)
RULES = ("alone", "Benjamini-Hochberg", "Benjamini-Yekutieli")


@dataclass(frozen=True)
class Realised:
    """Over all panels: false discoveries as a share of all, true signals found, and one standard error."""

    rule: str
    rate: float
    false_share: float
    standard_error: float
    found: float


def realised(panels: int, days: int = DAYS, workers: int = 2) -> list[Realised]:
    """Return what each rule let through at each rate."""
    # A forked copy of a process that holds Spark or Ray may hang.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        counts = np.array(list(pool.map(counted, range(panels), [days] * panels, chunksize=5)))
    found = []
    for rule, name in enumerate(RULES):
        for place, rate in enumerate(RATES):
            false, true = counts[:, rule, place, 0], counts[:, rule, place, 1]
            share = false / np.maximum(false + true, 1)
            error = float(share.std(ddof=1) / np.sqrt(panels))
            power = float(true.mean()) / (len(HORIZONS_D) * sum(each != 0.0 for each in STRENGTHS))
            found.append(Realised(name, rate, float(share.mean()), error, power))
    return found


def counted(seed: int, days: int) -> list[list[tuple[int, int]]]:
    """Return false and true discoveries in one panel, for each rule and rate."""
    planted = panel(seed, days, INSTRUMENTS, STRENGTHS)
    p_values, true = [], []
    for horizon_d in HORIZONS_D:
        targets = forward_returns(planted.inputs.prices, horizon_d)
        for scores, known in zip(planted.inputs.signals, planted.true, strict=True):
            daily = rank_information_coefficient(scores.astype(np.float64), targets)
            p_values.append(tested(daily, horizon_d)[2])
            true.append(known)
    alone, is_true = np.array(p_values), np.array(true)
    levels = (alone, benjamini_hochberg(alone), benjamini_yekutieli(alone))
    return [
        [(int((~is_true & (level <= rate)).sum()), int((is_true & (level <= rate)).sum())) for rate in RATES]
        for level in levels
    ]


def table(found: list[Realised]) -> str:
    """Return what was found as lines to read."""
    lines = [f"{'rule':<22}{'rate':>6}{'false discoveries':>20}{'true signals found':>20}"]
    for one in found:
        share = f"{one.false_share:.3f} ± {one.standard_error:.3f}"
        lines.append(f"{one.rule:<22}{one.rate:>6.2f}{share:>20}{one.found:>20.3f}")
    return "\n".join(lines)
