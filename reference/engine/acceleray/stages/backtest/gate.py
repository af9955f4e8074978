"""The gate of the backtest: whether a model's forecasts of risk may be used.

Three parts, fixed before any record was looked at:

1. The regulatory windows: over the last 250 and 500 days the Basel zone must not be red. Yellow is said; a
   right model is yellow in a tenth of windows of 250 days.
2. The size of the error: the exact 95 % interval of the rate of exceptions over the whole record must reach
   into a tolerance around the expected rate. A test alone refuses what is off by a tenth if the record is
   long, and passes what is off by half if it is short.
3. The tests: coverage, the dynamic quantile test for clusters, Z2 and the size of exceedances for expected
   shortfall. They share one level (Holm 1979), and each p-value comes from simulated records of a right model
   that estimates its quantile from the same window (`quant.null_record`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.backtest import Verdict, rate_interval, verdict
from acceleray.quant.dynamic_quantile import dynamic_quantile
from acceleray.quant.multiple_testing import holm
from acceleray.quant.null_record import NullRecords, lower_p, two_sided_p, upper_p
from acceleray.quant.shortfall_tests import (
    acerbi_szekely_z2,
    exceedance_residuals,
    mcneil_frey,
    mean_in_errors,
)
from acceleray.settings import Risk
from acceleray.settings.backtest import Backtest

# Fewer days than a trading year cannot judge a 99 % quantile.
MINIMUM_DAYS = 250


@dataclass(frozen=True)
class RecordTests:
    """Statistics of one record and their p-values from simulated records; NaN where nothing can be tested.

    `z2_critical` is the value below which a right model's Z2 lies in `level` of records. `residual` is the
    mean of exceedance residuals in standard errors, `bootstrap_p` the p-value of McNeil and Frey's bootstrap
    of it. `rate` holds the ends of the interval of the exception rate, in times the expected rate.
    """

    coverage_p: float
    dynamic_quantile: float
    dynamic_quantile_p: float
    z2: float
    z2_recent: float
    z2_critical: float
    z2_p: float
    residual: float
    residual_p: float
    bootstrap_p: float
    rate: tuple[float, float]

    @property
    def p_values(self) -> dict[str, float]:
        """Return the p-values that share the level, by the name of the test."""
        return {
            "coverage": self.coverage_p,
            "dynamic quantile": self.dynamic_quantile_p,
            "Z2": self.z2_p,
            "size of exceedances": self.residual_p,
        }

    @property
    def adjusted(self) -> dict[str, float]:
        """Return the same after Holm: rejected at a level if at most that level."""
        values = holm(np.array(list(self.p_values.values())))
        return dict(zip(self.p_values, values.tolist(), strict=True))

    @property
    def smallest_p(self) -> float:
        """Return the smallest of them, NaN where nothing could be tested: a p-value of the whole record."""
        return min((p for p in self.adjusted.values() if math.isfinite(p)), default=math.nan)


def tested(
    losses: NDArray[np.float64],
    forecasts: NDArray[np.float64],
    risk: Risk,
    null: NullRecords,
    level: float,
    seed: int,
) -> tuple[Verdict, RecordTests]:
    """Return what all tests say about one model.

    Args:
        losses: realised, of shape (days,), as shares of NAV.
        forecasts: of shape (3, days): value at risk, and value at risk and expected shortfall at the level of
            the latter.
        risk: the confidence levels.
        null: records of a right model.
        level: of the critical value shown.
        seed: of the bootstrap.
    """
    var, threshold, shortfall = forecasts
    hits = losses > var
    found = verdict(hits, risk.var_confidence)
    statistic = float(dynamic_quantile(hits[np.newaxis], var, risk.var_confidence)[0])
    z2 = acerbi_szekely_z2(losses, threshold, shortfall, risk.es_confidence)
    last = slice(-MINIMUM_DAYS, None)
    residuals = exceedance_residuals(losses, threshold, shortfall)
    residual = mean_in_errors(residuals)
    low, high = rate_interval(found.exceptions, found.days)
    expected = 1.0 - risk.var_confidence
    return found, RecordTests(
        coverage_p=two_sided_p(float(found.exceptions), null.exceptions),
        dynamic_quantile=statistic,
        dynamic_quantile_p=upper_p(statistic, null.dynamic_quantile),
        z2=z2,
        z2_recent=acerbi_szekely_z2(losses[last], threshold[last], shortfall[last], risk.es_confidence),
        z2_critical=float(np.quantile(null.z2, level)),
        z2_p=lower_p(z2, null.z2),
        residual=residual,
        residual_p=upper_p(residual, null.residual),
        bootstrap_p=mcneil_frey(residuals, seed),
        rate=(low / expected, high / expected),
    )


def decide(found: Verdict, tests: RecordTests, terms: Backtest) -> tuple[bool, str]:
    """Return whether a model may be used, and why, in words; too few days are not a pass."""
    if found.days < MINIMUM_DAYS:
        days = "1 out-of-sample day is" if found.days == 1 else f"{found.days} out-of-sample days are"
        return False, f"{days} too few to test; {MINIMUM_DAYS} are needed"
    against = [*_zones(found, "red"), *_rate(found, tests, terms), *_rejected(found, tests, terms.level)]
    said = _zones(found, "yellow")
    if said:
        said[-1] += " (a correct model is yellow in a tenth of windows of 250 days)"
    if against:
        return False, "; ".join([*against, *said])
    agreed = (
        f"{_exceptions(found)} {'agrees' if found.exceptions == 1 else 'agree'} with the"
        f" {found.expected:.1f} expected "
        f"(rate {tests.rate[0]:.2f} to {tests.rate[1]:.2f} times the expected); no test of coverage, "
        f"clusters or expected shortfall rejects (smallest p after Holm {tests.smallest_p:.2g})"
    )
    return True, "; ".join([agreed, *said])


def _zones(found: Verdict, zone: str) -> list[str]:
    windows = (
        (MINIMUM_DAYS, found.recent_exceptions, found.recent_zone),
        (2 * MINIMUM_DAYS, found.exceptions_500, found.zone_500),
    )
    return [
        f"{zone} zone: {count} exceptions in the last {days} days"
        for days, count, found_zone in windows
        if found_zone == zone and days <= max(found.days, MINIMUM_DAYS)
    ]


def _rate(found: Verdict, tests: RecordTests, terms: Backtest) -> list[str]:
    least, most = terms.rate_tolerance
    low, high = tests.rate
    if low <= most and high >= least:
        return []
    return [
        f"{_counted(found)}: the rate is {low:.2f} to {high:.2f} times the expected one and does not overlap "
        f"{least:g} to {most:g}"
    ]


def _rejected(found: Verdict, tests: RecordTests, level: float) -> list[str]:
    words = {
        "coverage": f"{_counted(found)}: coverage is rejected",
        "dynamic quantile": "exceptions cluster or depend on the level of the forecast: the dynamic quantile "
        f"test rejects (statistic {tests.dynamic_quantile:.1f})",
        "Z2": f"expected shortfall is too small: Z2 {tests.z2:.2f} is below {tests.z2_critical:.2f}",
        "size of exceedances": "losses beyond value at risk exceed the expected shortfall "
        f"({tests.residual:.1f} standard errors)",
    }
    return [f"{words[name]} (p {p:.2g} after Holm)" for name, p in tests.adjusted.items() if p <= level]


def _counted(found: Verdict) -> str:
    direction = "more" if found.exceptions > found.expected else "fewer"
    verb = "is" if found.exceptions == 1 else "are"
    return f"{_exceptions(found)} {verb} {direction} than the {found.expected:.1f} expected"


def _exceptions(found: Verdict) -> str:
    return f"{found.exceptions} exception{'' if found.exceptions == 1 else 's'} in {found.days} days"
