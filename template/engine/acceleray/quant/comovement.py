"""How much instruments move together today: past joint days, replayed at today's correlation.

Filters of single instruments bring each one's past shocks to variance one, whatever the market was doing. Not
so their correlation: in a crisis instruments fall together, and days replayed from calmer times do not.
Standardised residuals z are therefore split into a common part, b m with m their mean on a day, and their own
part; the share of the common part in the variance is followed through time, and a past day is brought from
the share of its time to that of today:

    z' = b m sqrt(c_now / c_day) + (z - b m) sqrt((1 - c_now) / (1 - c_day))

With one correlation between all pairs the share is c = (1 + (n - 1) rho) / n: the dynamic equicorrelation of
Engle & Kelly 2012, here smoothed exponentially with the decay of RiskMetrics (J.P. Morgan/Reuters 1996). The
variance of an instrument stays what its own filter says. One instrument has no correlation: nothing changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

DECAY = 0.94
# Where all moves are common, or none is, nothing is left to be rescaled.
_EXTREME = 1e-6


@dataclass(frozen=True)
class Comovement:
    """Residuals of past days in two parts, and the share of the first before each day.

    Attributes:
        residuals: (days, instruments), complete, as they were given.
        mean: (days,) of the members' residuals.
        slopes: (instruments,) on that mean.
        share: (days + 1,) of the common part in the variance, each known before its day; the last is for the
            day after the last. None where there are fewer than two members.
    """

    residuals: NDArray[np.float64]
    mean: NDArray[np.float64]
    slopes: NDArray[np.float64]
    share: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        residuals: NDArray[np.float64],
        members: NDArray[np.bool_] | None = None,
        learnt: int | None = None,
    ) -> "Comovement":
        """Return the parts of residuals (days, instruments).

        Args:
            residuals: standardised and complete, the oldest day first.
            members: (instruments,) whose mean is the common part; all by default. What trades on days of its
                own, or hardly at all, says nothing about the others.
            learnt: slopes, and the share before the first day, are those of the first so many days (all by
                default), so that nothing is known of a later one.
        """
        chosen = np.ones(residuals.shape[1], dtype=np.bool_) if members is None else members
        own = np.ascontiguousarray(residuals[:, chosen])
        mean = own.mean(axis=1) if own.shape[1] else np.zeros(len(residuals))
        known = slice(0, learnt)
        square = float(np.sum(mean[known] * mean[known]))
        if own.shape[1] < 2 or not square > 0.0:
            return cls(residuals, mean, np.zeros(residuals.shape[1]), None)
        slopes = np.sum(residuals[known] * mean[known, np.newaxis], axis=0) / square
        common, whole = (_smoothed(each, known) for each in (mean * mean, (own * own).mean(axis=1)))
        share = np.clip(common / np.maximum(whole, np.finfo(np.float64).tiny), _EXTREME, 1.0 - _EXTREME)
        return cls(residuals, mean, slopes, share)

    def replayed(self, first: int, now: int) -> NDArray[np.float64]:
        """Return the residuals of days ``first`` to ``now - 1`` at the share before day ``now``."""
        residuals = self.residuals[first:now]
        if self.share is None:
            return residuals
        before, today = self.share[first:now], self.share[now]
        common = self.mean[first:now, np.newaxis] * self.slopes
        together, apart = np.sqrt(today / before), np.sqrt((1.0 - today) / (1.0 - before))
        return np.asarray(common * together[:, np.newaxis] + (residuals - common) * apart[:, np.newaxis])


def _smoothed(values: NDArray[np.float64], known: slice) -> NDArray[np.float64]:
    """Return the exponentially weighted mean before each day, (days + 1,), begun at that of the known."""
    start = float(values[known].mean())
    later, _ = lfilter([1.0 - DECAY], [1.0, -DECAY], values, zi=[DECAY * start])
    return np.concatenate([[start], later])
