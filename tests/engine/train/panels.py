"""Simulated panels of labelled examples, for tests of validation and fitting."""

import numpy as np

from acceleray.quant.examples import Examples
from acceleray.stages.features.definitions import FEATURE_NAMES

DATES, NAMES, HORIZON_D, SEED = 700, 15, 5, 42


def examples(strength: float, seed: int = 1, dates: int = DATES, names: int = NAMES) -> Examples:
    """Return a simulated panel whose target follows the first feature with the given strength."""
    generator = np.random.default_rng(seed)
    features = generator.uniform(-0.5, 0.5, (dates * names, len(FEATURE_NAMES)))
    noise = generator.uniform(-0.5, 0.5, dates * names)
    target = strength * features[:, 0] + (1.0 - strength) * noise
    return Examples(
        features,
        target,
        0.1 * target,
        np.repeat(np.arange(dates), names),
        np.tile(np.arange(names), dates),
        np.arange(dates).astype("datetime64[D]"),
        tuple(f"N{number:02d}" for number in range(names)),
    )
