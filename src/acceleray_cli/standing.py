"""Where a project stands: its answers, its engine, its conflicts, and whether there is a newer release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from acceleray_cli import addresses, hashes, moved, project
from acceleray_cli.checks import complete
from acceleray_cli.moved import ENGINE
from acceleray_cli.project import Project
from acceleray_cli.refusals import BAD_INPUT, RefusedError
from acceleray_cli.source import Template

# What `check` ends with; 2 is every refusal.
UP_TO_DATE, ENGINE_EDITED, CONFLICTS, OUTDATED = 0, 1, 3, 4
STATES = {
    UP_TO_DATE: "up to date",
    ENGINE_EDITED: "engine edited",
    BAD_INPUT: "cannot be used",
    CONFLICTS: "conflicts",
    OUTDATED: "outdated",
}


@dataclass
class Standing:
    """A project: its version and the newest, its refused answers, edits of its engine, and open conflicts.

    A version is None where none is recorded. `engine` has for each file "edited", "added" or "deleted", and
    what serves instead of an edit; it is None where the project has no engine in a folder of its own.
    """

    project: str
    version: str | None = None
    newest: str | None = None
    outdated: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    engine: list[dict[str, str]] | None = None
    conflicts: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """Return the exit code: what stands in the way of an update comes before the update."""
        if self.problems:
            return BAD_INPUT
        if self.conflicts:
            return CONFLICTS
        if self.engine:
            return ENGINE_EDITED
        return OUTDATED if self.outdated else UP_TO_DATE

    def lines(self) -> list[str]:
        """Return what people read."""
        found = [f"Every answer in {Path(self.project, project.RECORD)} is valid."]
        if self.version is None:
            found.append("No version of the template is recorded, so the project cannot be updated.")
        elif self.outdated:
            found.append(
                f"The project has version {self.version}; {self.newest} is available:"
                " look at it with acceleray preview."
            )
        else:
            found.append(f"The project has version {self.version}, and there is no newer one.")
        for entry in self.engine or []:
            instead = f"; instead: {entry['instead']}" if entry["instead"] else ""
            found.append(f"engine: {entry['difference']}: {entry['file']}{instead}")
        if self.engine == []:
            found.append("engine: as released")
        return found

    def as_json(self) -> str:
        """Return one JSON document; its keys stay, new ones may come."""
        about = {"state": STATES[self.code], "exit_code": self.code, **asdict(self)}
        return addresses.without_credentials(json.dumps(about, indent=2, ensure_ascii=False))


def refused(folder: Path, refusal: RefusedError) -> Standing:
    """Return where a project stands of which nothing more is known than why it cannot be used."""
    return Standing(str(folder), problems=list(refusal.lines))


def of(here: Project, template: Template, wanted: str | None) -> Standing:
    """Return where a project stands against its template.

    Args:
        here: the project.
        template: it was generated from this one.
        wanted: the version against which its answers are judged; None for the recorded one.

    Raises:
        RefusedError: an answer cannot be used.
    """
    had = here.version if here.version and template.versioned else None
    judged = wanted or had or (template.newest() if template.versioned else None)
    found = Standing(str(here.folder), version=had)
    with here.in_record():
        found.notes += complete(template.questions(judged), here.answers)[1]
    if here.location and addresses.whole_without_credentials(here.location) != here.location:
        found.notes.append(
            f"{here.record} has a user name or password in _src_path: revoke it, because the history"
            " of the repository keeps it; the next update takes it out of the file."
        )
    if had is not None:
        newest = template.newest()
        found.outdated = template.is_newer(newest, had)
        found.newest = template.shown(newest) if found.outdated else had
    if (here.folder / ENGINE).is_dir():
        found.engine = [
            {"file": ENGINE + name, "difference": how, "instead": moved.table().instead(ENGINE + name)}
            for name, how in hashes.differences(here.folder / ENGINE)
        ]
    found.conflicts = here.conflicts()
    return found
