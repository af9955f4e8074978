"""Where runs are archived, and whether each is at its end."""

from __future__ import annotations

from pathlib import Path

from acceleray.settings.section import Section


class Archive(Section):
    """Archives of runs: `path` lies in the state folder unless it is absolute; `auto` archives every run."""

    path: Path = Path("archive")
    auto: bool = False
