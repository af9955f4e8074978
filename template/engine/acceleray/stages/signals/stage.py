"""The signals stage: what each signal is worth at each horizon once the number of tests is counted."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.runtime.run import Run
from acceleray.stages.signals.inputs import load_inputs
from acceleray.stages.signals.judging import judge
from acceleray.stages.signals.rows import Rank, correlation_rows, decay_rows, rank_rows, year_rows
from acceleray.tables import SIGNAL_CORRELATIONS, SIGNAL_DECAY, SIGNAL_RANKS, SIGNAL_YEARS


@dataclass(frozen=True)
class Prioritised:
    """Result of the stage: all ranks, in the order of their evidence."""

    ranks: tuple[Rank, ...]

    def decided(self, decision: str) -> tuple[Rank, ...]:
        """Return the ranks with a decision, in order."""
        return tuple(rank for rank in self.ranks if rank.decision == decision)


def prioritise(run: Run) -> Prioritised:
    """Judge every signal at every horizon and commit ranks, decay, years and correlations.

    Raises:
        PortfolioError: there are too few instruments to rank.
    """
    inputs = load_inputs(run)
    found = judge(inputs, run.settings, run.source, run.fan_out, run.reporter)
    run.commit(SIGNAL_RANKS, rank_rows(found.ranks))
    run.commit(SIGNAL_DECAY, decay_rows(inputs.names, found.examined, found.ahead_d))
    run.commit(SIGNAL_YEARS, year_rows(inputs, found.examined))
    run.commit(SIGNAL_CORRELATIONS, correlation_rows(inputs.names, found.correlations))
    return Prioritised(found.ranks)
