"""One side of one work in a separate process: told by lines on standard input, answers on standard output.

Started by `bench.py`. Every line is JSON. What engines print goes to standard error.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from acceleray.engines.processes.signals import first_line
from acceleray.settings import Settings
from arena.side import Setting, Side


def main() -> None:
    """Serve until told to stop, or until whoever asks has gone."""
    order = json.loads(sys.stdin.readline())
    # From here on only answers are written to standard output, also by Java and by other processes.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        serve(order, answers)
    except Exception as error:
        # Whoever asked may be gone, and that may be the error.
        with suppress(BrokenPipeError):
            tell(answers, {"error": f"{type(error).__name__}: {first_line(error)}"})
        raise


def serve(order: dict[str, Any], answers: TextIO) -> None:
    """Open the side, run it once for each line, and close it."""
    folder = Path(order["folder"])
    settings = Settings.model_validate(order["settings"])
    setting = Setting(folder, order["size"], order["workers"], settings)
    started = time.perf_counter()
    side: Side = import_module(f"works.{order['work']}").SIDES[order["side"]]()
    side.start(setting)
    try:
        tell(answers, {"seconds": time.perf_counter() - started})
        for number, _ in enumerate(iter(sys.stdin.readline, "")):
            started = time.perf_counter()
            found = side.run()
            seconds = time.perf_counter() - started
            path = folder / "out" / f"{order['side']}-{number % 2}.npz"
            path.parent.mkdir(exist_ok=True)
            np.savez(path, **{name: np.asarray(values) for name, values in found.items()})
            # What engines left in cycles of references would count as the next run's time and memory.
            del found
            gc.collect()
            tell(answers, {"seconds": seconds, "answer": str(path), "note": side.note()})
    finally:
        side.stop()


def tell(answers: TextIO, what: dict[str, Any]) -> None:
    """Write one line."""
    answers.write(json.dumps(what) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
