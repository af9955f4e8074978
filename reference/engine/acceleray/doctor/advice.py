"""The decision model: Spark, Ray or one process, in a fixed order of questions, answered by measurement.

`engine/docs/decision_model.md` has the questions in words. The advice is about where work runs well; the
stages run where their modules say, and at small sizes that costs seconds, not correctness.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from acceleray.counts import counted
from acceleray.doctor.measured import Measured, measured
from acceleray.doctor.sizes import Work, panel, works
from acceleray.engines import environment_checks
from acceleray.engines.processes.allowance import processors
from acceleray.engines.ray import slots
from acceleray.settings import Settings

Engine = Literal["Spark", "Ray", "either", "one process", "measure"]
# A fit whose array takes more than this share of a node's memory is better split; XGBoost copies it once.
_MEMORY_SHARE = 0.4
# Times this close are called equal: another machine may turn them round.
_CLOSE = 1.1


@dataclass(frozen=True)
class Advice:
    """Where one work belongs, and why in one sentence."""

    engine: Engine
    work: Work
    reason: str


def advise(settings: Settings, instruments: int | None = None, days: int | None = None) -> Iterator[str]:
    """Yield the advice for every stage of this project as plain lines.

    Args:
        settings: of one environment.
        instruments: how many there are; None asks the price source.
        days: of history; None asks the price source.

    Raises:
        PortfolioError: the price source or the benchmark's results cannot be read.
    """
    known = measured(settings.project_dir)
    size = panel(settings, instruments, days)
    cores = processors()
    panel_size = f"{counted(size[0], 'instrument')} x {counted(size[1], 'day')}"
    yield f"{panel_size}; evidence: {known.origin}."
    yield "Seconds refer to the measured work only; a stage also reads, checks, writes and reports."
    refusal = environment_checks.unsupported_place(settings.profile, os.environ)
    for work in works(settings, *size, known):
        found = decide(work, known, cores, slots.available_mb(), refusal)
        yield f"{found.engine:<12} {work.name}: {work.amount}{_length(work, cores)}. {found.reason}"


def decide(
    work: Work, known: Measured, cores: int, memory_mb: int | None = None, refusal: str | None = None
) -> Advice:
    """Return where a work belongs; the first question that is answered decides.

    Args:
        work: of one stage.
        known: what was measured.
        cores: of this machine.
        memory_mb: that are free here; None if that is not known.
        refusal: why Ray cannot run here; None if it can.
    """
    if work.pattern == "tables":
        return Advice(
            "Spark", work, f"Joins, windows and governed writes belong to Spark.{_times(known, 'etl')}"
        )
    if refusal:
        return Advice("Spark", work, refusal)
    if work.pattern == "one fit":
        if memory_mb is not None and work.memory_gb * 1000 > _MEMORY_SHARE * memory_mb:
            reason = f"Its rows take {work.memory_gb:,.1f} GB, too much for one process here: shard them."
            return Advice("Ray", work, reason)
        slower = known.ratio("training", "limit_ratio")
        said = f" Shards took {slower:.1f} times as long as one process." if slower else ""
        return Advice("one process", work, f"One fit that fits into memory needs no cluster.{said}")
    if work.core_s is None:
        return Advice(
            "measure", work, f"No measurement of such work: run make bench ARGS='--work {work.row}'."
        )
    if work.core_s <= known.start_s():
        reason = f"Finishes before the engines have started, which takes {known.start_s():.0f} s."
        return Advice("one process", work, reason)
    ratio = known.ratio(work.row)
    if ratio is None:
        return Advice(
            "measure", work, f"No Spark implementation was measured: run make bench ARGS='--work {work.row}'."
        )
    best = known.rows[work.row].get("best_spark", "Spark")
    if ratio < 1.0 / _CLOSE:
        return Advice("Spark", work, f"Spark alone ({best}) took {ratio:.2f} of Ray's time.")
    if ratio < _CLOSE:
        reason = f"Spark alone ({best}) took {ratio:.2f} of Ray's time: use the one your team knows."
        return Advice("either", work, reason)
    return Advice("Ray", work, f"{ratio:.1f} times as fast as Spark alone ({best}): {_WHY[work.pattern]}")


_WHY = {
    "uneven": "tasks of different lengths fill the cores without partition tuning.",
    "stopped early": "trials learn from each other and stop while others run.",
    "shared": "one copy of the scenarios serves every worker of a machine.",
    "map": "tasks read, predict and write files without moving rows between Java and Python.",
}


def _length(work: Work, cores: int) -> str:
    if work.core_s is None:
        return ""
    return f", about {_said(work.core_s)} of one core, {_said(work.core_s / cores)} on {cores}"


def _said(seconds: float) -> str:
    if seconds < 1.0:
        return "a second"
    if seconds < 120.0:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200.0 else f"{seconds / 3600:,.1f} h"


def _times(known: Measured, row: str) -> str:
    ratio = known.ratio(row)
    return f" Ray took {1.0 / ratio:.1f} times as long as Spark." if ratio else ""
