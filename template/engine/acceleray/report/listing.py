"""The list of all reports of a project: newest first, with verdicts, read from the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path

from acceleray.report.rendering import render, save

INDEX = "index.html"
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_BADGE = re.compile(r'<span class="badge ([a-z_]*)">(.*?)</span>', re.DOTALL)
# Title and verdict stand before any figure, and a page with its figures has megabytes.
_HEAD = 65_536


@dataclass(frozen=True)
class Listed:
    """One report: its file, its title, the style and words of its verdict, and when it was written."""

    path: Path
    title: str
    style: str
    verdict: str
    written: datetime

    @property
    def document(self) -> bool:
        """Return whether it is the document of a model, which a run writes after its report."""
        return self.path.name.startswith("model-document-")


def listed(folder: Path) -> list[Listed]:
    """Return the reports in a folder, the newest first; those of single portfolios belong to their report."""
    found = []
    for path in folder.glob("*.html"):
        if path.name == INDEX:
            continue
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                head = file.read(_HEAD)
            written = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        except FileNotFoundError:
            # Somebody has just deleted it.
            continue
        title, badge = _TITLE.search(head), _BADGE.search(head)
        found.append(
            Listed(
                path,
                unescape(title[1]).strip() if title else path.stem,
                badge[1] if badge else "",
                unescape(badge[2]).strip() if badge else "",
                written,
            )
        )
    return sorted(found, key=lambda one: (one.written, one.path.name), reverse=True)


def write(folder: Path) -> Path:
    """Write the list of the reports in a folder into it and return its path."""
    return save(render("listing.html.j2", reports=listed(folder)), folder / INDEX)
