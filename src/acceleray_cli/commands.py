"""The five commands: each returns its exit code and prints what happened."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acceleray_cli import (
    addresses,
    adoption,
    binaries,
    examination,
    git,
    hashes,
    interruption,
    project,
    source,
    standing,
)
from acceleray_cli.adoption import require_repository
from acceleray_cli.answers import Answers, read_file, read_questions, read_settings, unknown
from acceleray_cli.changes import UNCHANGED, Change, changes, losses, summary
from acceleray_cli.checks import check_asked, complete
from acceleray_cli.moved import ENGINE
from acceleray_cli.new import create, require_free
from acceleray_cli.project import Project
from acceleray_cli.refusals import RefusedError, in_plain_words
from acceleray_cli.rehearsal import KEPT, Rehearsal, rehearsed
from acceleray_cli.source import Template
from acceleray_cli.standing import Standing

DONE, LOSS, CONFLICTS = 0, 1, 3
# Keeps the version that the project has, for a change of answers alone.
CURRENT = "current"


def new(options: Namespace) -> int:
    """Generate a project."""
    require_free(options.folder)
    with _chosen(options) as (template, version, answers):
        count = create(template.location, version, answers, options.folder)
        came_from = f" from version {template.shown(version)} of the template" if version else ""
    print(f"{count} files in {options.folder}{came_from}. Next:")
    print(f'    cd "{options.folder}"')
    start = "git add --all ." if git.top_of(options.folder) else "git init && git add --all"
    print(f"    {start} && git commit -m 'Generate the project'    # updates need it")
    print("    make run")
    return DONE


def adopt(options: Namespace) -> int:
    """Put a project into a repository that has files."""
    require_repository(options.folder)
    with _chosen(options) as (template, version, answers):
        found = adoption.adopt(template.location, version, answers, options.folder, write=not options.preview)
    for name, beside in found.beside.items():
        print(f"yours stays: {name}; the version of the project: {beside}")
    if found.ignored:
        _note(
            f"{len(found.ignored)} of the project's files are ignored by this repository, first"
            f" {found.ignored[0]}; add them with git add --force, or change .gitignore."
        )
    counted = f"{len(found.added)} added, {len(found.same)} the same, {len(found.beside)} next to yours"
    if options.preview:
        print(f"{counted}. Nothing changed; run the same command without --preview to apply.")
        return DONE
    print(f"{counted}. Next:")
    print(f'    cd "{options.folder}"')
    if found.beside:
        print(f"    # take what you need from each file that ends with {binaries.SUFFIX}, then delete it")
    print("    git add --all && git commit -m 'Adopt the project'    # updates need it")
    print("    make run")
    return DONE


@contextmanager
def _chosen(options: Namespace) -> Iterator[tuple[Template, str | None, Answers]]:
    """Give the template, its version and the answers of a new project, asked for where they are not given."""
    location, installed = _location(options.template)
    with source.opened(location) as template:
        version = _version(template, options.at or (None if options.template else installed))
        questions = template.questions(version)
        given = _given(options, questions, {})
        answers, notes = check_asked(questions, given, ask=not options.defaults)
        _note(*notes)
        if template.has_uncommitted_changes() and version == template.newest():
            _note("Uncommitted changes of the template are ignored.")
        yield template, version, answers
    if addresses.whole_without_credentials(location) != location:
        _note(
            "The user name and password in the template's address are recorded nowhere;"
            " for updates, give them to a credential helper of Git (git help credentials) or use ssh."
        )
    if version is None:
        _note("The template is not a Git repository, so the project cannot be updated from it later.")


def doctor(options: Namespace) -> int:
    """Look at this machine before there is a project."""
    found = list(examination.examine(options.template))
    for finding in found:
        print(addresses.without_credentials(str(finding)))
    return LOSS if any(finding.status == "missing" for finding in found) else DONE


def check(options: Namespace) -> int:
    """Check answers in a file, or those of a project."""
    if options.data_file:
        location, installed = _location(options.template)
        with source.opened(location) as template:
            version = _version(template, options.at or (None if options.template else installed))
            _note(*complete(template.questions(version), read_file(options.data_file))[1])
        print(f"Every answer in {options.data_file} is valid.")
        return DONE
    try:
        found = _standing(options)
    except RefusedError as refusal:
        if not options.json:
            raise
        found = standing.refused(options.folder, refusal)
    if options.json:
        print(found.as_json())
        return found.code
    _note(*found.notes)
    for line in found.lines():
        print(line)
    if found.conflicts:
        return _report_conflicts(found.conflicts)
    return found.code


def _standing(options: Namespace) -> Standing:
    here = project.opened(options.folder)
    # A repository that belongs to somebody else is said, and not taken for none.
    git.top_of(here.folder)
    with source.opened(options.template or here.location or _location(None)[0], here.record) as template:
        return standing.of(here, template, _version(template, options.at) if options.at else None)


def preview(options: Namespace) -> int:
    """Show what an update would do to each file."""
    here = project.opened(options.folder)
    _require_ready(here)
    with source.opened(here.origin()[0], here.record) as template:
        plan = _plan(here, template, options)
        with rehearsed(here, template, plan.version, plan.given) as rehearsal:
            found = changes(rehearsal)
    for change in found:
        if options.all or change.state != UNCHANGED:
            print(change)
    for line in _by_hand(rehearsal):
        print(line)
    print(f"To version {plan.shown}: {summary(found)}. Nothing changed.")
    if lost := losses(found):
        print(f"acceleray update would refuse, because edits of {_files(lost)} would be lost.")
    return DONE


def update(options: Namespace) -> int:
    """Update a project."""
    here = project.opened(options.folder)
    here.top()
    if count := interruption.take_back(here):
        _note(f"An update was killed here; {count} files that it had written are what they were before it.")
    if conflicts := here.conflicts():
        return _report_conflicts(conflicts)
    _require_ready(here)
    with source.opened(here.origin()[0], here.record) as template:
        plan = _plan(here, template, options)
        same = not plan.given and template.commit(plan.version) == template.commit(here.origin()[1])
        if same and not _engine_differences(here):
            print(f"Nothing to do: the project has version {plan.shown}.")
            return DONE
        with rehearsed(here, template, plan.version, plan.given) as rehearsal:
            found = changes(rehearsal)
            if (lost := losses(found)) and not options.discard_edits:
                _note(
                    *map(str, lost),
                    f"Nothing was changed, because edits of {_files(lost)} would be lost;"
                    f" --discard-edits removes them and keeps these files below {KEPT}.",
                )
                return LOSS
            rehearsal.carry_out()
    print(f"Updated to version {plan.shown}: {summary(found)}.")
    _note(*_by_hand(rehearsal))
    if conflicts := here.conflicts():
        return _report_conflicts(conflicts)
    print("Review it with git diff, run make test, and commit.")
    return DONE


@dataclass(frozen=True)
class _Plan:
    version: str
    shown: str
    given: Answers


def _plan(here: Project, template: Template, options: Namespace) -> _Plan:
    """Return the version to go to and the answers that change, after checking all answers against it."""
    had = here.origin()[1]
    with here.in_record():
        template.commit(had)
    version = had if options.to == CURRENT else _version(template, options.to) or had
    if options.to is None and not template.is_newer(version, had):
        # Generated from a commit after the newest release: going there would be a step back.
        version = had
    questions = template.questions(version)
    known_before = read_questions(template.questions(had))
    if strange := [unknown(name, known_before) for name in here.answers if name not in known_before]:
        raise RefusedError(*(f"{here.record}: {line}" for line in strange))
    given = _given(options, questions, here.answers)
    with here.in_record(given), in_plain_words("The answers"):
        answers, notes = complete(questions, given, here.answers)
    _note(*notes)
    for name, answer in answers.items():
        if name not in known_before and name not in given:
            _note(f"New question {name}: answered {answer!r}; choose another answer with --set {name}=...")
    return _Plan(version, template.shown(version), given)


def _given(options: Namespace, questions: Path, before: Answers) -> Answers:
    given = read_file(options.data_file) if options.data_file else {}
    return {**given, **read_settings(options.set, read_questions(questions), {**before, **given})}


def _version(template: Template, wanted: str | None) -> str | None:
    if not template.versioned:
        if wanted:
            raise RefusedError(
                f"{template.location} is not a Git repository and has no version {wanted}; leave --at out."
            )
        return None
    if wanted is None:
        return template.newest()
    commit = template.commit(wanted)
    return wanted if wanted in template.releases() else commit


def _location(wanted: str | None) -> tuple[str, str | None]:
    found = (wanted, None) if wanted else source.origin()
    if found is None:
        raise RefusedError("The address of the template is unknown; give it with --template PATH_OR_URL.")
    return found


def _require_ready(here: Project) -> None:
    here.origin()
    here.top()
    if interruption.found(here):
        raise RefusedError(f"An update of {here.folder} was killed; acceleray update takes it back first.")
    here.require_clean()


def _report_conflicts(conflicts: list[str]) -> int:
    for name in conflicts:
        print(f"conflict: {name}", file=sys.stderr)
    print(
        f"Conflicts in {len(conflicts)} file{'s' if len(conflicts) > 1 else ''}: edit, git add and commit.",
        file=sys.stderr,
    )
    return CONFLICTS


def _engine_differences(here: Project) -> list[tuple[str, str]]:
    """Return the files of the project's engine that are not as released; none where it has no engine."""
    engine = here.folder / ENGINE
    return hashes.differences(engine) if engine.is_dir() else []


def _by_hand(rehearsal: Rehearsal) -> list[str]:
    """Return a line for each place in the project's own files that somebody has to adapt."""
    return [f"by hand: {line}" for line in rehearsal.remarks]


def _files(found: list[Change]) -> str:
    return f"{len(found)} file{'s' if len(found) > 1 else ''}"


def _note(*lines: str) -> None:
    for line in lines:
        print(addresses.without_credentials(line), file=sys.stderr)
