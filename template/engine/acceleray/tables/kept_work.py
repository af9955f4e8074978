"""Kept work: results found again by what decides them, and what each run took from there."""

from acceleray.tables.contract import Column, Table, run_columns

_KIND = Column("kind", "string", "Kind of result, such as fit or fold")

KEPT_WORK = Table(
    layer="gold",
    name="kept_work",
    comment="Results of single tasks, kept by what decides them; later runs take them from here.",
    scope="kind",
    key=("kind", "work_key", "made_with", "run_id"),
    columns=(
        _KIND,
        Column("work_key", "string", "SHA-256 over everything that decides the result but the code"),
        Column("made_with", "string", "SHA-256 over the code, the libraries and the processor type"),
        *run_columns(),
        Column("engine_version", "string", "Version of the engine that made it"),
        Column("payload", "string", "The result in the form of its kind, base64"),
        Column("payload_sha256", "string", "SHA-256 of the result, to tell a damaged one"),
        Column("made_at", "timestamp", "When it was kept", "UTC", volatile=True),
    ),
)

RUN_WORK = Table(
    layer="gold",
    name="run_work",
    comment="Results that each stage of a run reused or computed, and why.",
    scope="run_id",
    key=("run_id", "stage", "kind", "made_by", "reason"),
    columns=(
        *run_columns(),
        Column("stage", "string", "Stage of the run"),
        _KIND,
        Column(
            "made_by", "string", "Run that computed the results: this one, or the one they are taken from"
        ),
        Column("results", "long", "How many results"),
        Column("reason", "string", "Why they were computed; empty where they were taken"),
    ),
    checks=(("there_are_results", "results > 0"),),
)
