"""Returns of every instrument in a stress scenario, or the reason why it was not run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.stress import split
from acceleray.stages.book.lines import Lines
from acceleray.stages.stress.definitions import Replay, ShockScenario
from acceleray.stages.stress.distance import UNMEASURED, Distance

if TYPE_CHECKING:
    from acceleray.stages.calibrate.factor_model import FactorModel

PRICED = "priced"
PRICED_WITHOUT_BETAS = "priced without betas"
PROXIED = "proxied by betas"
SHOCKED = "shocked through betas"
UNPRICED = ""


@dataclass(frozen=True)
class Assumption:
    """One factor or published variable of a scenario, and the change the model takes it for (NaN: none)."""

    variable: str
    published: str
    factor: str | None
    shock: str | None
    change: float
    role: Literal["core", "implied", "observed", "not mapped"]
    mapping: str


@dataclass(frozen=True)
class Outcome:
    """One scenario: simple return of each instrument and its parts, each (instruments,), NaN if unpriced.

    `over` gives the same of each line of a book.

    `reason` says why it was not run and is empty where it was; `first` and `last` are the closes a replay
    goes from and to; `model` is that whose betas and covariance it was run with.
    """

    scenario: Replay | ShockScenario
    assumptions: tuple[Assumption, ...]
    returns: NDArray[np.float64]
    factor: NDArray[np.float64]
    specific: NDArray[np.float64]
    residual: NDArray[np.float64]
    origin: NDArray[np.str_]
    distance: Distance = UNMEASURED
    reason: str = ""
    first: date | None = None
    last: date | None = None
    model: FactorModel | None = None

    @property
    def priced(self) -> NDArray[np.bool_]:
        """Return which instruments have a return, of whatever origin."""
        return np.asarray(self.origin != UNPRICED)

    def over(self, lines: Lines) -> Outcome:
        """Return the outcome of a book's lines; what a currency adds beyond first order is residual."""
        if not lines.more:
            return self
        returns = lines.of(self.returns)
        factor, specific = lines.summed(self.factor), lines.summed(self.specific)
        known = np.isfinite(returns)
        count = len(lines.own)
        # A line with an unpriced part is unpriced, and one with a part by betas is so too.
        made = lines.summed((self.origin == PROXIED).astype(np.float64))[count:] != 0.0
        own = np.where(known[count:], np.where(made, PROXIED, PRICED), UNPRICED)
        residual = np.concatenate((self.residual, (returns - factor - specific)[count:]))
        origin = np.concatenate((self.origin, own))
        return replace(
            self, returns=returns, factor=factor, specific=specific, residual=residual, origin=origin
        )


def outcome(
    scenario: Replay | ShockScenario,
    assumptions: tuple[Assumption, ...],
    returns: NDArray[np.float64],
    explained: NDArray[np.float64],
    origin: NDArray[np.str_],
    distance: Distance,
    model: FactorModel,
    first: date | None = None,
    last: date | None = None,
) -> Outcome:
    """Return a scenario that was run; `explained` is beta' x, the log return that factors explain.

    Of instruments with arithmetic returns it is the return itself.
    Nothing specific happens to an instrument whose return was made by betas alone.
    """
    factor, specific, residual = split(returns, explained, model.arithmetic)
    # Exactly, and not up to the rounding of a logarithm.
    made = np.isin(origin, [PROXIED, SHOCKED])
    specific = np.where(made, 0.0, specific)
    residual = np.where(made, returns - factor, residual)
    return Outcome(
        scenario,
        assumptions,
        returns,
        factor,
        specific,
        residual,
        origin,
        distance,
        first=first,
        last=last,
        model=model,
    )


def not_run(
    scenario: Replay | ShockScenario, reason: str, assumptions: tuple[Assumption, ...], instruments: int
) -> Outcome:
    """Return a scenario that was not run, with the reason in words."""
    nothing = np.full(instruments, np.nan)
    first, last = (scenario.first, scenario.last) if isinstance(scenario, Replay) else (None, None)
    origin = np.full(instruments, UNPRICED)
    return Outcome(
        scenario,
        assumptions,
        nothing,
        nothing,
        nothing,
        nothing,
        origin,
        reason=reason,
        first=first,
        last=last,
    )
