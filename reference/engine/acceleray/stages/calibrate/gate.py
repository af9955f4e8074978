"""The gate between calibration and simulation: most fits converge, inside their bounds, and do not drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.extend import GateRule
from acceleray.quant.garch import GjrFit
from acceleray.runtime.extensions import refusal
from acceleray.settings.sections import Calibration

_NAMED = 5
# At zero the variance reacts to losses alone: what stock indices show, and no sign of a bad fit.
_HARMLESS = {"alpha"}


@dataclass(frozen=True)
class Evidence:
    """Evidence of the gate.

    Attributes:
        instruments: their names.
        fits: one for each instrument.
        drift: (instruments,) log ratio of each volatility forecast to that of the fit before, NaN where there
            is none.
        causes: why instruments have no model, in words, by name.
    """

    instruments: Sequence[str]
    fits: Sequence[GjrFit]
    drift: NDArray[np.float64]
    causes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One share and its limit, as a fraction; `reason` says in words what was found."""

    name: str
    share: float
    limit: float
    passed: bool
    reason: str


@dataclass(frozen=True)
class Gate:
    """The verdict on one calibration."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Return whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Return in words what failed, or what was found if nothing did."""
        failed = [check.reason for check in self.checks if not check.passed]
        return "; ".join(failed or [check.reason for check in self.checks])

    def require(self) -> None:
        """Refuse to go on with parameters that did not pass.

        Raises:
            PortfolioError: a check failed.
        """
        if not self.passed:
            raise PortfolioError(
                f"The calibration did not pass its gate, so no simulation uses it: {self.reason}. "
                "Look at gold.calibration_gate and gold.calibration; the limits are calibration.* in conf/."
            )

    def table(self) -> pa.Table:
        """Return the rows of gold.calibration_gate."""
        return pa.table(
            {
                "check_name": [check.name for check in self.checks],
                "share": [check.share for check in self.checks],
                "limit": [check.limit for check in self.checks],
                "passed": [check.passed for check in self.checks],
                "reason": [check.reason for check in self.checks],
            }
        )


def judge(found: Evidence, limits: Calibration, rules: Sequence[GateRule] = ()) -> Gate:
    """Return the verdict on fits.

    Args:
        found: what is judged; fits rejected for their data were not attempted and do not count.
        limits: the shares allowed.
        rules: of the project, asked after the engine's own checks.

    Raises:
        PortfolioError: a rule of the project raised.
    """
    names, fits, drift = found.instruments, found.fits, found.drift
    tried = [place for place, fit in enumerate(fits) if fit.status != "rejected"]
    good = [place for place in tried if fits[place].modelled]
    failed = [place for place in tried if fits[place].status == "failed"]
    bound = [place for place in good if set(filter(None, fits[place].at_bound.split(","))) - _HARMLESS]
    compared = [place for place in good if np.isfinite(drift[place])]
    drifted = [place for place in compared if abs(drift[place]) > limits.drifted_above]
    drifted.sort(key=lambda place: -abs(float(drift[place])))
    factor = f"by a factor above {np.exp(limits.drifted_above):.2f}"
    return Gate(
        (
            _check(
                "converged",
                _share(len(good), len(tried), 0.0),
                limits.minimum_converged_share,
                f"{len(good)} of {counted(len(tried), 'fit')} converged",
                [
                    f"{names[place]} ({found.causes.get(names[place], fits[place].reason)})"
                    for place in failed
                ],
                at_least=True,
                worst_are="failed: ",
            ),
            _check(
                "at_bound",
                _share(len(bound), len(good), 0.0),
                limits.maximum_at_bound_share,
                f"{len(bound)} of {len(good)} fits have a parameter other than alpha at a bound",
                [f"{names[place]} ({fits[place].at_bound})" for place in bound],
            ),
            _check(
                "drifted",
                _share(len(drifted), len(compared), 0.0),
                limits.maximum_drifted_share,
                f"{len(drifted)} of {len(compared)} volatility forecasts moved {factor} since the last fit"
                if compared
                else "there is no earlier calibration to compare with",
                [f"{names[place]} ({np.exp(drift[place]):.2f})" for place in drifted],
            ),
            *(_own(rule, found) for rule in rules),
        )
    )


def _own(rule: GateRule, found: Evidence) -> Check:
    reason = refusal(rule, found)
    return Check(rule.name, float(reason is not None), 0.0, reason is None, reason or f"{rule.meaning}: yes")


def _share(part: int, whole: int, nothing: float) -> float:
    return part / whole if whole else nothing


def _check(
    name: str,
    share: float,
    limit: float,
    found: str,
    worst: Sequence[str],
    at_least: bool = False,
    worst_are: str = "",
) -> Check:
    passed = share >= limit if at_least else share <= limit
    named = ", ".join(worst[:_NAMED]) + (", ..." if len(worst) > _NAMED else "")
    bound = f"{'at least' if at_least else 'at most'} {100 * limit:g} % {'needed' if at_least else 'allowed'}"
    return Check(name, share, limit, passed, f"{found} ({bound}){f': {worst_are}{named}' if worst else ''}")
