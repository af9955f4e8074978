"""Time what-if questions one by one: median and 95th percentile through Ray, scenarios in its object store.

Each has 20 trades and 20 candidates for a hedge, and asks the outcomes of one day besides. The first ten are
not counted. Run it from the project; nothing else may run on the machine meanwhile:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/questions.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.engines.ray.local import local_ray
from acceleray.settings import Settings
from acceleray.stages.what_if.drawn import Resident
from acceleray.stages.what_if.enumerated import Outcomes, one_day
from arena.side import Setting
from works.what_if_blocks import HORIZON_D, LEVELS, WEIGHTS, StoreBlocks, make, questions

_NOT_COUNTED, _DAYS = 10, 2_000


def main() -> int:
    """Ask, and print how long answers take."""
    parser = argparse.ArgumentParser(description="Time what-if questions one by one.")
    parser.add_argument("--questions", type=int, default=100, help="that are counted (default: %(default)s)")
    parser.add_argument("--scenarios", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--instruments", type=int, default=200, help="(default: %(default)s)")
    options = parser.parse_args()
    asked = options.questions + _NOT_COUNTED
    size = {"scenarios": options.scenarios, "instruments": options.instruments, "questions": asked}
    store = 512 + options.scenarios * (options.instruments + 8) * 8 // 2**20 * 5 // 4
    ray = {"workers": os.cpu_count() or 1, "object_store_mb": store}
    settings = Settings.model_validate({"project": {"name": "q", "customer": "b"}, "ray": ray})
    outcomes = np.random.default_rng(3).standard_normal((options.instruments, _DAYS)) * 0.01
    seconds = []
    with tempfile.TemporaryDirectory(prefix="pf-questions-") as name, local_ray(settings) as fan_out:
        folder = Path(name)
        make(folder, size)
        weights = np.load(folder / WEIGHTS)
        blocks = StoreBlocks(Setting(folder, size, ray["workers"], settings), fan_out)
        resident = Resident(blocks, HORIZON_D, LEVELS, DEFAULT_FOLDER)
        kept, every = resident.keep(weights), Outcomes(outcomes, LEVELS)
        for question in questions(weights, asked):
            began = time.perf_counter()
            resident.answer(kept, question, lambda one=question: one_day(every, weights, (), one))
            seconds.append(time.perf_counter() - began)
    counted = np.array(seconds[_NOT_COUNTED:])
    median, late = np.quantile(counted, (0.5, 0.95))
    print(f"{counted.size} questions: median {median:.2f} s, 95th percentile {late:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
