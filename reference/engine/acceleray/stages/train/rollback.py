"""Rollback: the champion is withdrawn, and the one before is champion again; nothing is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from acceleray.errors import PortfolioError
from acceleray.governance.champion import Decision, decisions, promoted_as_of
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.stages.train.decision import LATEST, commit_decisions, mirror
from acceleray.stages.train.gate import PROMOTED, REFUSED, WITHDRAWN

WORKLOAD = "rollback"
_COPIED = ("model_name", "model_version", "model_uri", "features_contract", "rank_ic", "rank_ic_t")
# Not recorded by releases before 0.3.0.
_COPIED_IF_KNOWN = ("rank_ic_lower", "unseen_from")


@dataclass(frozen=True)
class Plan:
    """Decisions to be added, and the decision that made the coming champion one."""

    changes: tuple[Decision, ...]
    champion: Decision

    @property
    def withdrawn(self) -> tuple[int, ...]:
        """Return the versions that will not be champion any more; none if that was done before."""
        gone = [row for row in self.changes if row["decision"] == WITHDRAWN]
        return tuple(int(row["model_version"]) for row in gone)

    @property
    def effective_from(self) -> date:
        """Return the first as-of date for which anything changes, or since when the champion reigns."""
        first: date = min(
            (row["effective_from"] for row in self.changes), default=self.champion["effective_from"]
        )
        return first


def roll_back(run: Run, to: int | None, since: date | None, reason: str) -> Plan:
    """Withdraw the champion of the run's source, or every version after `to`, and return what was done.

    Doing it again changes nothing.

    Args:
        run: without an identity yet.
        to: as in `plan`.
        since: as in `plan`.
        reason: in words, stored in the table.

    Raises:
        PortfolioError: there is no champion, none before it, or `to` never passed the gate.
    """
    rows = decisions(run.lake, run.source)
    made = plan(rows, run.source, to, since, reason)
    if not made.changes:
        # A rollback that was killed may not have told MLflow.
        mirror(run, str(made.champion["model_name"]), int(made.champion["model_version"]))
        return made
    # The same rollback after other decisions is another run, so what was decided before is part of it.
    state = [
        rows[-1]["decided_at"].isoformat(),
        *(f"{c['decision']} {c['model_version']}" for c in made.changes),
    ]
    run.identify("none", made.effective_from, state)
    with run.stage(WORKLOAD, "Withdraw the champion"):
        commit_decisions(run, made.changes)
        record(run, str(made.champion["model_uri"]))
        for row in made.changes:
            mirror(run, str(row["model_name"]), int(row["model_version"]))
    return made


def plan(rows: Sequence[Decision], source: str, to: int | None, since: date | None, reason: str) -> Plan:
    """Return what a rollback adds to the decisions on models of a price source.

    Args:
        rows: all of them, in the order they were made.
        source: the price source, for messages.
        to: version that shall be champion, which undoes an earlier rollback if it was withdrawn; None takes
            the one before the champion, if the champion was promoted after the last rollback.
        since: first as-of date for which the withdrawn versions are not champion any more; None is since
            their own beginning, as if they had never been.
        reason: in words.

    Raises:
        PortfolioError: there is no champion, none before it, or `to` never passed the gate.
    """
    promoted = promoted_as_of(rows, LATEST)
    if to is None:
        target, withdrawn = _one_back(rows, promoted, source)
    else:
        target = _promotion(rows, to, source)
        withdrawn = [row for row in promoted if _place(row) > _place(target)]
    changes = [_withdrawal(row, since, reason) for row in withdrawn]
    if target not in promoted:
        changes.append(_changed(target, PROMOTED, target["effective_from"], reason))
    return Plan(tuple(changes), target)


def _one_back(
    rows: Sequence[Decision], promoted: Sequence[Decision], source: str
) -> tuple[Decision, Sequence[Decision]]:
    if not promoted:
        raise PortfolioError(f"There is no champion of {source} that could be rolled back.")
    if rows[-1]["decision"] == WITHDRAWN:
        return promoted[-1], ()
    if len(promoted) == 1:
        raise PortfolioError(
            f"Version {promoted[-1]['model_version']} is the only champion of {source}: none came before it "
            "that could be gone back to; train another."
        )
    return promoted[-2], promoted[-1:]


def _promotion(rows: Sequence[Decision], version: int, source: str) -> Decision:
    about = [row for row in rows if row["model_version"] == version]
    if found := [row for row in about if row["decision"] == PROMOTED]:
        return found[-1]
    if refused := [row for row in about if row["decision"] == REFUSED]:
        raise PortfolioError(
            f"Version {version} of {source} was refused by the gate and cannot be champion: "
            f"{refused[-1]['reason']}."
        )
    raise PortfolioError(f"There is no version {version} of {source}; `portfolio models` lists them.")


def _place(row: Decision) -> tuple[date, int]:
    return row["effective_from"], row["model_version"]


def _withdrawal(row: Decision, since: date | None, reason: str) -> Decision:
    begun = row["effective_from"]
    return _changed(row, WITHDRAWN, begun if since is None else max(since, begun), reason)


def _changed(row: Decision, decision: str, effective_from: date, reason: str) -> Decision:
    copied = {name: row[name] for name in _COPIED} | {name: row.get(name) for name in _COPIED_IF_KNOWN}
    return copied | {"decision": decision, "effective_from": effective_from, "reason": reason}
