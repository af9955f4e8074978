"""Test the tests: each fault planted in a generated project must make that project's own tests fail.

A fault is one line that a person could get wrong. Only tests without engines run: it takes two minutes.
`make planted` prints a line for each, and ends with an error if one was not noticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from render import ROOT


@dataclass(frozen=True)
class Fault:
    """A line of the package, what it is made to say, and the test file that must notice."""

    workload: str
    what: str
    module: str
    right: str
    wrong: str
    noticed_by: str


FAULTS = (
    Fault(
        "hyperparameter_tuning",
        "labels of the training dates look into the test block",
        "quant/validation.py",
        "gap = purge_d + embargo_d",
        "gap = embargo_d",
        "quant/test_validation.py",
    ),
    Fault(
        "distributed_training",
        "the gate takes a better model for a worse one",
        "train/gate.py",
        "self.difference < 0.0 and",
        "self.difference > 0.0 and",
        "train/test_gate.py",
    ),
    Fault(
        "batch_inference",
        "a model scores features in another order than it was trained on",
        "score/model.py",
        "known = tuple(restored(model.content).feature_names or ())",
        "known = FEATURE_NAMES",
        "score/test_score_model.py",
    ),
    Fault(
        "end_to_end_pipeline",
        "expected shortfall drops the fractional scenario at the edge of the tail",
        "quant/risk.py",
        "shortfall = (total + (mass - whole) * edge) / mass",
        "shortfall = total / mass",
        "quant/test_risk.py",
    ),
    Fault(
        "portfolio_model_calibration",
        "persistence counts every shock as a negative one",
        "quant/garch.py",
        "return self.alpha + self.gamma / 2.0 + self.beta",
        "return self.alpha + self.gamma + self.beta",
        "quant/test_garch.py",
    ),
    Fault(
        "investment_signal_prioritization",
        "dependence between signals is not paid for",
        "quant/multiple_testing.py",
        '"fdr_by"',
        '"fdr_bh"',
        "quant/test_multiple_testing.py",
    ),
    Fault(
        "risk_stress_testing",
        "a logarithmic change is taken for a return",
        "stress/shocked.py",
        "np.expm1(explained)",
        "explained",
        "stress/test_stress_shocked.py",
    ),
)


def run(project: Path, tests: str) -> tuple[bool, str]:
    """Return whether a file of tests passes in a project, and what it says; none starts an engine."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{tests}"),
            *("-m", "not spark and not ray and not cluster and not nightly"),
        ],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"tests/{tests} could not run: {done.stdout[-2000:]}")
    return done.returncode == 0, done.stdout


def noticed(project: Path, fault: Fault) -> bool:
    """Return whether the project's tests, which pass, fail with the fault; the project is left as it was."""
    module = project / "src/portfolio" / fault.module
    before = module.read_text(encoding="utf-8")
    if before.count(fault.right) != 1:
        raise SystemExit(f"{fault.module} does not hold {fault.right!r} once; put the fault right.")
    passed, said = run(project, fault.noticed_by)
    if not passed:
        raise SystemExit(f"tests/{fault.noticed_by} fails without any fault:\n{said[-2000:]}")
    try:
        module.write_text(before.replace(fault.right, fault.wrong), encoding="utf-8")
        return not run(project, fault.noticed_by)[0]
    finally:
        module.write_text(before, encoding="utf-8")


def main() -> None:
    """Plant every fault in a copy of reference/, one after the other."""
    missed = 0
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        shutil.copytree(
            ROOT / "reference", project, ignore=shutil.ignore_patterns("var", ".venv", "__pycache__")
        )
        for fault in FAULTS:
            seen = noticed(project, fault)
            missed += not seen
            sys.stdout.write(f"{'noticed' if seen else 'MISSED':<8} {fault.workload}: {fault.what}\n")
            sys.stdout.flush()
    if missed:
        raise SystemExit(f"{missed} of {len(FAULTS)} faults went unnoticed.")


if __name__ == "__main__":
    main()
