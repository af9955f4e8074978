"""Proposals and stopping of a search: decided by trial numbers, not by timing.

Optuna proposes. It is asked for trial n only when it was told the results of all trials up to n less a fixed
number, in their order, and of no others. So a search gives the same results for any number of workers, and
one that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from acceleray.quant.halving import Fate, Halving


@dataclass(frozen=True)
class Range:
    """Numbers a parameter may take, both ends included; a `log` range is drawn evenly by ratio."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __contains__(self, value: float) -> bool:
        """Return whether a value may be proposed."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Report:
    """Report of a trial after a chunk of work: rounds so far, the value to maximise, and any text."""

    rounds: int
    value: float
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """How a search goes.

    Attributes:
        space: what may be proposed.
        first: what is proposed first, where it lies in the space.
        trials: how many are proposed.
        learns_after: a trial is proposed from the results of all trials but so many before it. So many run
            at once at most; results depend on this number, and not on how many workers there are.
        chunk: rounds between reports.
        factor: rungs are at chunk, chunk * factor, chunk * factor^2 ... rounds; one in `factor` passes.
        last: rounds of a trial that is not stopped.
        patience: rounds without a new best after which a trial is stopped, whatever others do.
        seed: of the proposals.
    """

    space: Mapping[str, Range]
    first: Mapping[str, float]
    trials: int
    learns_after: int
    chunk: int
    factor: int
    last: int
    patience: int
    seed: int


@dataclass
class Trial:
    """Proposal, reports that count, and end of a trial."""

    number: int
    parameters: dict[str, float]
    reports: list[Report] = field(default_factory=list)
    reason: str = ""
    fate: Fate | None = None

    @property
    def best(self) -> Report | None:
        """Return the report with the highest value, the first of equal ones."""
        return max(self.reports, key=lambda report: report.value, default=None)


class Search:
    """The state of one search."""

    def __init__(self, plan: Plan, done: Callable[[Trial], None] = lambda trial: None) -> None:
        """Begin; `done` is called for every trial, in order, as soon as its fate is known."""
        self.plan = plan
        self.trials: list[Trial] = []
        self._done = done
        self._halving = Halving(plan.chunk, plan.factor, plan.last, plan.patience)
        with _quiet():
            # Constant liar: trials under way count as bad ones, so that proposals do not crowd together.
            sampler = optuna.samplers.TPESampler(seed=plan.seed % 2**32, constant_liar=True)
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._space = {name: _distribution(one) for name, one in plan.space.items()}
        if all(plan.first[name] in one for name, one in plan.space.items()):
            self._study.enqueue_trial({name: plan.first[name] for name in plan.space})
        self._asked: list[optuna.trial.Trial] = []
        self._told = 0
        self._announced = 0

    @property
    def proposed_all(self) -> bool:
        """Return whether there is nothing left to propose."""
        return len(self.trials) >= self.plan.trials

    @property
    def ended(self) -> bool:
        """Return whether the fate of every trial is known."""
        return self._announced == self.plan.trials

    def propose(self) -> Trial | None:
        """Return the next trial, or None while it is not known what to propose, or at the end."""
        known = len(self.trials) + 1 - self.plan.learns_after
        if self.proposed_all or self._announced < known:
            return None
        for told in range(self._told, known):
            self._tell(told)
        self._told = max(self._told, known)
        with _quiet():
            asked = self._study.ask(self._space)
        self._asked.append(asked)
        # Each value as the number it is, so that what is kept and read again is the same.
        kinds = {name: int if one.whole else float for name, one in self.plan.space.items()}
        parameters = {name: kinds[name](asked.params[name]) for name in self._space}
        self.trials.append(Trial(self._halving.add(), parameters))
        return self.trials[-1]

    def report(self, number: int, report: Report) -> bool:
        """Take note of a report; return whether the trial goes on."""
        trial = self.trials[number - 1]
        # A trial that started again, because its worker died, says once more what it had said; and one whose
        # fate became known meanwhile may say more than counts.
        if trial.fate is None and (not trial.reports or report.rounds > trial.reports[-1].rounds):
            trial.reports.append(report)
            self._halving.report(number, report.rounds, report.value)
            self._announce()
        return not self._halving.over(number)

    def fail(self, number: int, reason: str) -> None:
        """Take note that a trial raised."""
        if self.trials[number - 1].fate is None:
            self.trials[number - 1].reason = reason
            self._halving.fail(number)
        self._announce()

    def _announce(self) -> None:
        for trial in self.trials[self._announced :]:
            trial.fate = self._halving.fate(trial.number)
            if trial.fate is not None:
                rounds = trial.fate.rounds
                trial.reports = [report for report in trial.reports if report.rounds <= rounds]
                trial.reason = trial.reason if trial.fate.status == "failed" else ""
        while self._announced < len(self.trials) and self.trials[self._announced].fate is not None:
            self._announced += 1
            self._done(self.trials[self._announced - 1])

    def _tell(self, place: int) -> None:
        trial = self.trials[place]
        # The best round of a trial, not its last: the number of rounds is chosen afterwards.
        best = trial.best
        if best is None or (trial.fate is not None and trial.fate.status == "failed"):
            self._study.tell(self._asked[place], state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._asked[place], best.value)


def _distribution(one: Range) -> BaseDistribution:
    if one.whole:
        return IntDistribution(int(one.low), int(one.high), log=one.log)
    return FloatDistribution(one.low, one.high, log=one.log)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's own lines out of the terminal."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
