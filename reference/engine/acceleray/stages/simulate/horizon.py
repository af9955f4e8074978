"""Results over all scenarios of one method and horizon, as used by other stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.sparse_rows import Rows, some_of
from acceleray.quant.tails import Tail, part_of

WINDOW, DRAWS = "window", "draws"


@dataclass(frozen=True)
class Attribution:
    """Expected shortfall split into three parts that add up to it, each (portfolios,), shares of NAV."""

    factor: NDArray[np.float64]
    specific: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Attribution]) -> Attribution:
        """Return the parts of several groups of portfolios as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def part(self, portfolios: slice) -> Attribution:
        """Return the parts of some of the portfolios."""
        return Attribution(*(getattr(self, one.name)[portfolios] for one in fields(self)))


@dataclass(frozen=True)
class Reverse:
    """Average of the simulated scenarios in which each portfolio loses about each target.

    Arrays are of shape (portfolios, targets): how many scenarios reach the target, how many lose about as
    much (inside), the latter's mean loss as a share of NAV, and the distance from no change of the factor
    moves that their mean log returns imply (both NaN for none). reference_returns (targets, lines) are
    the mean simple returns in the first portfolio's scenarios.
    """

    targets: tuple[float, ...]
    reaching: NDArray[np.int64]
    inside: NDArray[np.int64]
    loss: NDArray[np.float64]
    factor_distance: NDArray[np.float64]
    reference_returns: NDArray[np.float64]

    def part(self, portfolios: slice) -> Reverse:
        """Return what is known of some of the portfolios; returns stay those of the first."""
        names = ("reaching", "inside", "loss", "factor_distance")
        return replace(self, **{name: getattr(self, name)[portfolios] for name in names})


@dataclass(frozen=True)
class Horizon:
    """Simulated risk by one method at one horizon; losses and volatility are shares of NAV.

    error_of is the error that the measures carry: `WINDOW`, where scenarios are every day of the residual
    window, that of another sample of days; `DRAWS`, where they are drawn, that of other random numbers.
    volatility (portfolios,) is that of the whole horizon; edges and histogram are of the first portfolio's
    losses; contributions (portfolios, lines) add up to the measure, but where lines are many those of rows
    that no table explains are zero. reverse is there at the longest horizon, if losses to be reached were
    given.
    """

    method: str
    horizon_d: int
    scenarios: int
    error_of: str
    copula_nu: float | None
    tail: Tail
    volatility: NDArray[np.float64]
    edges: NDArray[np.float64]
    histogram: NDArray[np.int64]
    value_at_risk_contributions: Rows
    expected_shortfall_contributions: Rows
    attribution: Attribution
    reverse: Reverse | None

    def part(self, portfolios: slice) -> Horizon:
        """Return what is known of some of the portfolios; edges and histogram stay those of the first."""
        return replace(
            self,
            tail=part_of(self.tail, portfolios),
            volatility=self.volatility[portfolios],
            value_at_risk_contributions=some_of(self.value_at_risk_contributions, portfolios),
            expected_shortfall_contributions=some_of(self.expected_shortfall_contributions, portfolios),
            attribution=self.attribution.part(portfolios),
            reverse=None if self.reverse is None else self.reverse.part(portfolios),
        )
