"""The sentences of the calibration page that depend on what was found."""

from __future__ import annotations

import math

from acceleray.report import formats
from acceleray.report.calibration.data import Report

BADGES = {"passed": "Gate passed", "failed": "Gate failed", "missing": "Gate not run"}


def summary(report: Report) -> list[str]:
    """Return the page in one sentence."""
    fits, checks = report.fits, report.gate
    sentence = (
        f"{formats.count(len(fits.fitted))} of {formats.plural(fits.total, 'instrument')} have a model"
        f" fitted to returns up to {formats.long_date(report.heading.as_of)}, and "
    )
    if checks.state == "missing":
        sentence += "no gate has judged them, so nothing should be simulated with them yet."
    elif checks.state == "passed":
        number = formats.plural(len(checks.checks), "check")
        sentence += f"the calibration passes all {number} of its gate."
    else:
        failed = ", ".join(
            f"{check.label.lower()} {check.found} instead of {check.allowed}"
            if check.builtin
            else check.reason
            for check in checks.failed
        )
        sentence += f"the calibration does not pass its gate ({failed}), so nothing may be simulated with it."
    return [sentence]


def drift(report: Report) -> str:
    """Return how many fits moved, in words; empty if there is nothing to compare with."""
    found = report.drift
    if not found.compared:
        return ""
    number = formats.count(found.drifted) if found.drifted else "None"
    return (
        f"{number} of {formats.plural(found.compared, 'instrument')} with a scheduled fit before this one"
        f" moved by a factor above {formats.number(math.exp(found.limit))} or below"
        f" {formats.number(math.exp(-found.limit))}, on the same returns."
    )


def definite(report: Report) -> str:
    """Return what the smallest eigenvalues prove, in words; empty without a dependence."""
    row = report.dependence.row
    if row is None:
        return ""
    before, after = row["sample_smallest_eigenvalue"], row["smallest_eigenvalue"]
    change = (
        f"The smallest eigenvalue goes from {formats.significant(before)} before shrinkage to"
        f" {formats.significant(after)} after it"
    )
    if report.dependence.positive_definite:
        return (
            f"{change}: above zero, which proves that the matrix is positive definite and can be simulated."
        )
    return (
        f"{change}: it is not above zero, so this matrix is not positive definite. Do not simulate with it."
    )
