"""Trials of a search that outlive a killed run."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from acceleray.engines.handoff.resume import Resumable
from acceleray.engines.ray.proposals import Report, Trial
from acceleray.settings import Settings

_SCHEMA = pa.schema([("trial", pa.string())])


class KeptTrials:
    """The trials of one search that have ended, in the state folder until their results are committed."""

    def __init__(self, settings: Settings, key: str) -> None:
        """Open the trials kept for a key: a digest of whatever decides what trials report."""
        self._parts = Resumable(settings, "tune", key, _SCHEMA)
        self._count = settings.tune.trials

    @property
    def scratch(self) -> Path:
        """Return a folder that every Ray node sees."""
        return self._parts.folder / "_ray"

    def all(self) -> dict[int, Trial]:
        """Return the kept trials by number."""
        return {
            number: self._read(number) for number in range(1, self._count + 1) if self._parts.done(number)
        }

    def keep(self, trial: Trial) -> None:
        """Keep one trial that has ended; its reports decide again how much of it counts."""
        reports = [[report.rounds, report.value, report.note] for report in trial.reports]
        text = json.dumps({"parameters": trial.parameters, "reports": reports, "reason": trial.reason})
        self._parts.keep(trial.number, pa.table({"trial": [text]}))

    def forget(self) -> None:
        """Remove them: their results are committed."""
        self._parts.forget()

    def _read(self, number: int) -> Trial:
        said = json.loads(self._parts.rows(number)["trial"][0].as_py())
        return Trial(
            number, said["parameters"], [Report(*report) for report in said["reports"]], said["reason"]
        )
