"""Limits: what the run found compared with conf/limits.yml, and with how much was used the time before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from acceleray.runtime.run import Run
from acceleray.stages.book.stage import REFERENCE, Incoming
from acceleray.stages.limits.definitions import Limit, Limits, read_limits, refuse_unknown_portfolios
from acceleray.stages.limits.observed import Facts, needed
from acceleray.stages.limits.rows import Before, Key, utilised
from acceleray.stages.limits.utilisation import NOT_EVALUATED, RED, STATES
from acceleray.tables import LIMIT_UTILISATION, PORTFOLIOS, RUNS, Table
from acceleray.tables.contract import literal

__all__ = [
    "Limits",
    "Utilisation",
    "compare_with_limits",
    "limits_for",
    "read_limits",
    "refuse_unknown_portfolios",
]

_SHOWN = 5


@dataclass(frozen=True)
class Utilisation:
    """How many limits are in each state; a limit on every portfolio counts once for each."""

    counts: Mapping[str, int]

    @property
    def breached(self) -> int:
        """Return how many are breached."""
        return self.counts.get(RED, 0)

    def line(self) -> str:
        """Return the counts in words, such as `1 red, 2 amber, 9 green`."""
        return ", ".join(f"{self.counts[state]} {state}" for state in STATES if self.counts.get(state))


def limits_for(run: Run, incoming: Incoming) -> Limits:
    """Return the limits of conf/limits.yml for a book that has been received; nothing has been written yet.

    Raises:
        PortfolioError: as `read_limits` does, or a limit is on a portfolio that the book does not have.
    """
    limits, received = read_limits(run.settings), incoming.received
    if received is None:
        count = run.settings.book.portfolios
        names = {REFERENCE, *(f"SIM-{number:06d}" for number in range(1, count))} if limits.all else set()
    else:
        names = {each.portfolio_id for each in received.portfolios}
        names |= set(received.rows.column("portfolio_id").to_pylist())
    refuse_unknown_portfolios(limits, sorted(names))
    return limits


def compare_with_limits(run: Run, limits: Limits) -> Utilisation:
    """Commit gold.limit_utilisation and return how many limits are in each state.

    Limits that do not count on the as-of date have no row. A measure that this workload does not compute is
    `not evaluated`, with the reason.

    Raises:
        PortfolioError: a limit is on a portfolio that the book does not have; nothing has been committed.
    """
    valid = limits.on(run.as_of)
    facts = _facts(run, valid)
    refuse_unknown_portfolios(limits, facts.portfolios.column("portfolio_id").to_pylist())
    rows = utilised(valid, facts, _before(run))
    run.commit(LIMIT_UTILISATION, rows)
    for line in _lines(limits, rows):
        run.reporter.say(f"    {line}")
    return Utilisation(Counter(rows.column("state").to_pylist()))


def _facts(run: Run, limits: tuple[Limit, ...]) -> Facts:
    tables = {table.label: table for each in limits if (table := needed(each)) is not None}
    portfolios = run.arrow(PORTFOLIOS, PORTFOLIOS.column_names)
    return Facts(portfolios, {label: _rows(run, table) for label, table in tables.items()})


def _rows(run: Run, table: Table) -> pa.Table:
    # A table of another workload need not be there, and is not made by asking.
    if not run.lake.exists(table):
        return table.arrow_schema.empty_table()
    return run.arrow(table, table.column_names)


def _before(run: Run) -> dict[Key, Before]:
    """Return what each limit and portfolio used in the newest earlier run of this workload and source."""
    if not (run.lake.exists(RUNS) and run.lake.exists(LIMIT_UTILISATION)):
        return {}
    of_same = f"workload = {literal(run.workload)} AND source = {literal(run.source)}"
    ended = ("run_id", "as_of", "finished_at")
    earlier = run.lake.rows(RUNS, where=f"{of_same} AND as_of < DATE'{run.as_of}'", columns=ended).to_pylist()
    order = {row["run_id"]: (row["as_of"], row["finished_at"], row["run_id"]) for row in earlier}
    if not order:
        return {}
    names = ("run_id", "limit_id", "portfolio_id", "as_of", "utilisation_pct")
    rows = run.lake.rows(LIMIT_UTILISATION, where=f"as_of < DATE'{run.as_of}'", columns=names).to_pylist()
    of_earlier = sorted((row for row in rows if row["run_id"] in order), key=lambda row: order[row["run_id"]])
    return {
        (row["limit_id"], row["portfolio_id"]): Before(row["as_of"], row["utilisation_pct"])
        for row in of_earlier
    }


def _lines(limits: Limits, rows: pa.Table) -> list[str]:
    """Return what a person at the terminal should know: counts, breaches, what could not be evaluated."""
    if not limits.all:
        return [f"{limits.file} has no limits, so none are checked"]
    found = rows.to_pylist()
    lines = [f"limits: {Utilisation(Counter(row['state'] for row in found)).line() or 'none is valid yet'}"]
    red = sorted(
        (row for row in found if row["state"] == RED),
        key=lambda row: (-row["utilisation_pct"], row["limit_id"]),
    )
    lines += [
        f"limit {row['limit_id']} is breached by {row['portfolio_id']}: {row['value']:,.6g} {row['unit']} of "
        f"{row['limit_value']:,.6g}, owner {row['owner']}"
        for row in red[:_SHOWN]
    ]
    if len(red) > _SHOWN:
        lines.append(f"and {len(red) - _SHOWN} more; `portfolio limits` shows them")
    reasons = {(row["limit_id"], row["reason"]): None for row in found if row["state"] == NOT_EVALUATED}
    lines += [f"limit {limit_id} is not evaluated: {reason}" for limit_id, reason in list(reasons)[:_SHOWN]]
    return lines
