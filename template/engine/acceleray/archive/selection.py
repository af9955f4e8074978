"""Which rows of which tables an archive of a run keeps, and what they were to the run."""

from __future__ import annotations

from typing import Any

from acceleray.runtime.inputs import Input
from acceleray.tables import RUN_INPUTS, RUN_TABLES, RUN_WORK, RUNS, Table

WROTE, READ, HISTORY, EVIDENCE = "wrote", "read", "history", "evidence"


def wanted_of(
    declarations: dict[str, Table],
    run: dict[str, Any],
    inputs: list[Input],
    touches: list[dict[str, Any]],
) -> list[tuple[str, Table, str, int | None, str]]:
    """Return what is kept: role, table, scope, version (None: newest) and fingerprint ('' if unknown)."""

    def scope(table: Table) -> str:
        return str(run["source"] if table.scope == "source" else run["run_id"])

    wrote: dict[str, dict[str, Any]] = {}
    for touch in touches:
        name = touch["table_name"]
        if touch["direction"] == "wrote" and touch["version"] >= wrote.get(name, touch)["version"]:
            wrote[name] = touch
    found: list[tuple[str, Table, str, int | None, str]] = []
    for name, touch in sorted(wrote.items()):
        table = declarations[name]
        found.append((WROTE, table, scope(table), touch["version"], touch["fingerprint"]))
    seen = {(name, touch["version"]) for name, touch in wrote.items()}
    for touch in sorted(touches, key=lambda one: (one["table_name"], one["version"])):
        name = touch["table_name"]
        if touch["direction"] == "read" and (name, touch["version"]) not in seen:
            seen.add((name, touch["version"]))
            found.append((READ, declarations[name], scope(declarations[name]), touch["version"], ""))
    earlier = [each for each in inputs if each.kind == "history"]
    everything = {each.name for each in earlier if not each.part}
    for each in earlier:
        if not each.part or each.name not in everything:
            found.append((HISTORY, declarations[each.name], each.part, each.version, ""))
    evidence = (RUNS, RUN_TABLES, RUN_INPUTS, RUN_WORK)
    return found + [(EVIDENCE, table, str(run["run_id"]), None, "") for table in evidence]
