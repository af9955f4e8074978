"""The calibration gate: what a calibration must reach before anything is simulated with it."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.report.formats import MISSING, printable, share
from acceleray.report.rows import Read
from acceleray.tables import CALIBRATION_GATE

LABELS = {
    "converged": "Fits that converged",
    "at_bound": "Fits with a parameter other than alpha at a bound",
    "drifted": "Fits that drifted from the one before",
}


@dataclass(frozen=True)
class Check:
    """One condition of the gate; share and limit are fractions."""

    name: str
    label: str
    share: float
    limit: float
    passed: bool
    reason: str

    @property
    def builtin(self) -> bool:
        """Return whether it is a check of the engine, and no rule of the project."""
        return self.name in LABELS

    @property
    def found(self) -> str:
        """Return the share in words; a rule of the project has none."""
        return share(self.share) if self.builtin else MISSING

    @property
    def allowed(self) -> str:
        """Return the limit in words, a least or a largest share; a rule of the project has none."""
        if not self.builtin:
            return MISSING
        return f"{'at least' if self.name == 'converged' else 'at most'} {share(self.limit)}"


@dataclass(frozen=True)
class Gate:
    """All checks of one run; empty if the gate did not run."""

    checks: tuple[Check, ...]

    @property
    def state(self) -> str:
        """Return `passed`, `failed`, or `missing` where nothing was checked."""
        if not self.checks:
            return "missing"
        return "passed" if all(check.passed for check in self.checks) else "failed"

    @property
    def failed(self) -> tuple[Check, ...]:
        """Return the checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)


def gather(read: Read) -> Gate:
    """Return the checks in their usual order."""
    known = list(LABELS)
    rows = sorted(
        read(CALIBRATION_GATE).to_pylist(),
        key=lambda row: (
            known.index(row["check_name"]) if row["check_name"] in LABELS else len(known),
            row["check_name"],
        ),
    )
    return Gate(
        tuple(
            Check(
                row["check_name"],
                LABELS.get(row["check_name"], printable(row["check_name"])),
                row["share"],
                row["limit"],
                row["passed"],
                printable(row["reason"]),
            )
            for row in rows
        )
    )
