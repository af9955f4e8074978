"""The pages that a run wrote for people: its report, the pages of its portfolios, its model documents."""

from __future__ import annotations

from pathlib import Path

from acceleray.archive.project_copy import copy_document
from acceleray.settings import Settings

FOLDER = "report"


def keep_documents(settings: Settings, run_id: str, work: Path) -> list[str]:
    """Copy what lies in the folder of reports and has the run in its name; return the files."""
    reports = settings.state_dir / "reports"
    (work / FOLDER).mkdir(parents=True, exist_ok=True)
    for path in sorted(reports.glob(f"*{run_id}*")) if reports.is_dir() else ():
        copy_document(path, work / FOLDER / path.name)
    kept = (path for path in (work / FOLDER).rglob("*") if path.is_file())
    return sorted(path.relative_to(work).as_posix() for path in kept)
