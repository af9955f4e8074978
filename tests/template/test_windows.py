"""What can be known on Linux of a project on Windows: its names, their length, and that it has no links."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import contents
from render import ROOT
from toy import git

RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
# Windows takes 260 with drive and folder; an update's temporary folder needs 90 of them.
LONGEST = 120


def test_no_two_paths_differ_by_case_alone_and_none_is_refused_by_windows(defaults: Path) -> None:
    tracked = git(ROOT, "ls-files", "-z", "--", "template", "includes", "copier.yml").split("\0")
    for names in ([name for name in tracked if name], list(contents(defaults))):
        assert len({name.casefold() for name in names}) == len(names)
        folders = {folder for name in names for folder in Path(name).parents}
        assert len({str(folder).casefold() for folder in folders}) == len(folders)
        for part in {part for name in names for part in Path(name).parts}:
            assert not RESERVED.fullmatch(part), part
            assert not re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', part), part


def test_a_project_has_no_links_and_no_path_that_is_long(defaults: Path) -> None:
    assert max(map(len, contents(defaults))) < LONGEST
    assert not [path for path in defaults.rglob("*") if path.is_symlink()]
