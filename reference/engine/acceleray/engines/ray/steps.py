"""A process of a search: one trial after another, some chunks of work at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from ray import tune

from acceleray.engines.processes.signals import first_line
from acceleray.engines.ray.proposals import Plan, Report
from acceleray.quant.halving import Halving

# A process reports when something can be decided, or after so long: each report costs some milliseconds of
# the driver, during which the process waits. What is reported does not depend on it.
_REPORT_S = 0.25


@dataclass(frozen=True)
class Code:
    """Two module-level functions: `prepare` runs once in each process, `trial` for each proposal.

    `trial(parameters, prepared)` yields a `Report` after every chunk of rounds, up to the last round. It must
    depend on its arguments alone.
    """

    prepare: Callable[..., Any]
    trial: Callable[[Mapping[str, float], Any], Iterator[Report]]


class Steps(tune.Trainable):
    """Runs trials for Ray Tune; every step's result holds all reports since the last one."""

    def setup(self, config: dict[str, Any], **given: Any) -> None:
        """Prepare what all trials of this process share, and begin the first."""
        plan: Plan = given["plan"]
        self._code: Code = given["code"]
        self._patience = plan.patience
        self._decisive = {*Halving(plan.chunk, plan.factor, plan.last).rungs, plan.last}
        self._prepared = self._code.prepare(*given["shared"])
        self.reset_config(config)

    def reset_config(self, config: dict[str, Any]) -> bool:
        """Begin another trial."""
        self._trial = self._code.trial(config["parameters"], self._prepared)
        self._best: Report | None = None
        return True

    def step(self) -> dict[str, Any]:
        """Return reports up to one that may stop the trial, and the reason if it failed."""
        reports: list[Report] = []
        failed, due = "", time.monotonic() + _REPORT_S
        while not failed and not (reports and (self._decides(reports[-1]) or time.monotonic() > due)):
            try:
                reports.append(next(self._trial))
            except Exception as error:
                failed = f"{type(error).__name__}: {first_line(error)}"
        value = reports[-1].value if reports else 0.0
        return {"value": value, "reports": [astuple(report) for report in reports], "failed": failed}

    def _decides(self, report: Report) -> bool:
        """Return whether the trial may have to stop after this report."""
        if self._best is None or report.value > self._best.value:
            self._best = report
        return report.rounds in self._decisive or report.rounds - self._best.rounds >= self._patience
