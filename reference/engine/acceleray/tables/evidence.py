"""Gold evidence: runs, and the tables that they read and wrote."""

from acceleray.tables.contract import Column, Table, run_columns

RUNS = Table(
    layer="gold",
    name="runs",
    comment="One row per run: everything that decided its numbers.",
    scope="run_id",
    key=("run_id",),
    columns=(
        *run_columns(),
        Column("workload", "string", "Workload that ran"),
        Column("source", "string", "Price source"),
        Column("load_id", "string", "SHA-256 over the received prices"),
        Column("seed", "long", "Seed of every random number"),
        Column(
            "code_version",
            "string",
            "SHA-256 of the engine and of src/portfolio, 16 digits each, and a hyphen",
        ),
        Column("settings_json", "string", "Settings that decide numbers, as JSON"),
        Column("model_uri", "string", "MLflow URI of the signal model", nullable=True),
        Column("mlflow_run_id", "string", "MLflow parent run", volatile=True),
        Column("finished_at", "timestamp", "When the run ended", "UTC", volatile=True),
    ),
)

RUN_TABLES = Table(
    layer="gold",
    name="run_tables",
    comment="Delta versions each stage of a run read and wrote.",
    scope="run_id",
    key=("run_id", "stage", "direction", "table_name"),
    columns=(
        *run_columns(),
        Column("stage", "string", "Stage of the run"),
        Column("direction", "string", "read or wrote"),
        Column("table_name", "string", "Table, as layer.name"),
        Column("version", "long", "Delta version of that table"),
        Column("row_count", "long", "Rows read or written", "rows"),
        Column("fingerprint", "string", "Order-independent hash of those rows; empty where read"),
    ),
    checks=(("direction_is_known", "direction IN ('read', 'wrote')"),),
)

RUN_NOTICES = Table(
    layer="gold",
    name="run_notices",
    comment="Input that a run excluded from its numbers or reinterpreted, as printed on its console.",
    scope="run_id",
    key=("run_id", "place"),
    columns=(
        *run_columns(),
        Column("place", "long", "Number of the notice, from 1, in the order in which they came"),
        Column("stage", "string", "Stage of the run; empty before the first"),
        # It names lines of files, and the same rows may come in another order.
        Column("text", "string", "Row, column, instrument or position, and the reason", volatile=True),
    ),
)

RUN_INPUTS = Table(
    layer="gold",
    name="run_inputs",
    comment="External inputs of a run: files, external tables, and rows of earlier runs.",
    scope="run_id",
    key=("run_id", "kind", "name", "part"),
    columns=(
        *run_columns(),
        Column("kind", "string", "file, folder (one file of it), table of others, or history"),
        Column("name", "string", "Setting that names it, such as market_data.path; of history the table"),
        Column("part", "string", "File; or the run or price source whose rows were read, empty for all"),
        Column("path", "string", "File or folder as it was set, or the table's name; empty for history"),
        Column(
            # Others may add rows of theirs before the same run comes again.
            "version",
            "long",
            "Delta version of a table; NULL where there is none",
            nullable=True,
            volatile=True,
        ),
        Column("bytes", "long", "Length of a file", "bytes", nullable=True),
        Column("sha256", "string", "SHA-256 of a file; empty for a table"),
    ),
    checks=(("kind_is_known", "kind IN ('file', 'folder', 'table', 'history')"),),
)
