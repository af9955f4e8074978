"""Measure three choices of the risk model on the record: docs/decisions/0044 has the rules and the numbers.

The record is the sample that ships with skfolio. Nothing of Spark or Ray is started; two processes compute.
The same table comes out on every run with the locked libraries.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from render import ROOT

CHOICES = {
    "recalibration": "fit GARCH models every 250 days or every 63: about 4 minutes",
    "dependence": "the copula by Pearson, Kendall or normal scores, gaps filled or not: about 4 minutes",
    "betas": "betas of monthly changes or of weekly ones: some seconds",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of one choice, or of all three."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="choice", required=True, metavar="choice")
    for name, what in CHOICES.items():
        commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    commands.add_parser("all", help="all three", description="All three, one after the other.")
    asked = parser.parse_args(arguments).choice
    # Modules of template/ are what a customer receives: nothing is written beside them, here or in workers.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path.insert(0, str(ROOT / "template" / "engine"))
    for name in CHOICES if asked == "all" else (asked,):
        table: Callable[[], list[str]] = import_module(f"choices_{name}").table
        sys.stdout.write("\n".join([f"# {name}", *table(), ""]) + "\n")


if __name__ == "__main__":
    main()
