"""Test parts of the template as customers have them: each generated alone, with its own tests and whole runs.

`make test` checks for all 127 which files they get; that one works, only a run can tell.
`make subsets` prints a line for each, and ends with an error if one failed; ARGS="NAME NAME" runs some.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from render import copy_template, render

# Each stage is missing in one of them at least, and one brings a workload along that nobody chose.
SUBSETS = {
    "calibration": ["portfolio_model_calibration"],
    "signals": ["investment_signal_prioritization"],
    "stress": ["risk_stress_testing"],
    "tuning+training": ["hyperparameter_tuning", "distributed_training"],
    "inference": ["batch_inference"],
}
# What a run may compute in a minute or two on a laptop.
SMALL = (
    *("market_data.source=simulated", "universe.instruments=20", "universe.days=1500"),
    *("calibration.first_fit_d=1250", "calibration.window_d=1000", "simulation.residual_window_d=750"),
    *("simulation.scenarios=20000", "stress.scenarios=20000", "book.portfolios=30"),
    *("model.rounds=10", "train.folds=2", "train.minimum_rank_ic=-1", "leakage.maximum_rank_ic=0.99"),
    *(
        "tune.trials=4",
        "tune.maximum_rounds=40",
        "tune.folds=2",
        "tune.holdout_d=250",
        "signals.replications=100",
    ),
    *("tune.minimum_train_d=500", "train.minimum_train_d=500"),
)


def steps(project: Path) -> list[list[str]]:
    """Return the commands that must work in a project: its own tests, then each of its workloads."""
    # A workload runs after those whose results it may need, which the numbers of notebooks say.
    names = [path.stem.split("_", 1)[1] for path in sorted((project / "notebooks").glob("*.py"))]
    small = [argument for setting in SMALL for argument in ("--set", setting)]
    tests = ["make", "--no-print-directory", "test", f"VENV={Path(sys.prefix)}"]
    return [tests, *([sys.executable, "-m", "portfolio", "run", name, *small] for name in names)]


def failure(project: Path, step: list[str]) -> str:
    """Return what a command that failed said at its end, or nothing if it did not."""
    done = subprocess.run(
        step,
        cwd=project,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(project / "src"), str(project / "engine")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return (
        f"{' '.join(step[:5])} ended with {done.returncode}:\n{done.stdout[-3000:]}"
        if done.returncode
        else ""
    )


def main() -> None:
    """Generate each subset named on the command line, or all, and run it."""
    if unknown := [name for name in sys.argv[1:] if name not in SUBSETS]:
        raise SystemExit(f"There is no subset {unknown[0]}; choose from {', '.join(SUBSETS)}.")
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        template = copy_template(Path(scratch, "template"))
        for name in sys.argv[1:] or SUBSETS:
            began = time.monotonic()
            project = render(template, Path(scratch, name), {"workloads": SUBSETS[name]})
            said = next(filter(None, (failure(project, step) for step in steps(project))), "")
            took = time.monotonic() - began
            sys.stdout.write(f"{'FAILED' if said else 'works':<8} {took:5.0f} s  {name}\n{said}")
            sys.stdout.flush()
            failed += [name] if said else []
    if failed:
        raise SystemExit(f"{len(failed)} subsets failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
