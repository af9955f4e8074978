"""Writing a model document to files, for a person who asks and for a run that promoted or refused a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from acceleray.report.model_document.context import Kind, context
from acceleray.report.model_document.document import document
from acceleray.report.model_document.html import html
from acceleray.report.model_document.markdown import markdown
from acceleray.report.model_document.run_rows import Kept, KeptByRun
from acceleray.report.rendering import save
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.tables import MODEL_DECISIONS, RUNS
from acceleray.tables.backtest import BACKTEST_VERDICTS
from acceleray.tables.contract import Table

# The table whose rows say that a run has made a model of the kind.
_DECIDED: dict[Kind, Table] = {"risk": BACKTEST_VERDICTS, "signal": MODEL_DECISIONS}


def write(kept: Kept, kind: Kind, run_id: str, settings: Settings, folder: Path) -> tuple[Path, Path]:
    """Write the document about a run as HTML and as Markdown into a folder, and return both paths.

    Raises:
        PortfolioError: no run of that name made such a model.
    """
    folder = folder.resolve()
    made = document(context(kept, kind, run_id, settings), folder)
    name = f"model-document-{kind}-{run_id}"
    return (
        save(html(made), folder / f"{name}.html"),
        save(markdown(made), folder / f"{name}.md"),
    )


def documents_of(run: Run, kinds: Sequence[Kind]) -> tuple[Path, ...]:
    """Write the documents of a run that has been recorded, and return their paths.

    A run without a record of itself, and one that made no model of a kind, has none of it.
    """
    if not run.lake.exists(RUNS) or not run.rows(RUNS).num_rows:
        return ()
    kept, run_id = KeptByRun(run), run.identity.run_id
    folder = run.settings.state_dir / "reports"
    return tuple(
        path
        for kind in kinds
        if run.lake.exists(_DECIDED[kind]) and kept.rows(_DECIDED[kind], run_id).num_rows
        for path in write(kept, kind, run_id, run.settings, folder)
    )
