"""What a killed run leaves is kept for a week after it was last used."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray.engines.handoff.unfinished import unfinished_folder
from acceleray.settings import Settings


def aged(path: Path, days: int) -> None:
    os.utime(path, (time.time() - days * 86_400,) * 2)


def test_what_nobody_came_back_to_for_a_week_is_removed(settings: Callable[..., Settings]) -> None:
    one = settings()
    folders = {name: unfinished_folder(one, name) for name in ("old", "young", "worked in", "again")}
    for folder in folders.values():
        (folder / "part").write_text("rows")
        aged(folder / "part", 8)
        aged(folder, 6 if folder.name == "young" else 8)
    # Adding to a folder of a volume may not change the folder's own time.
    aged(folders["worked in"] / "part", 1)
    assert (unfinished_folder(one, "again") / "part").is_file()
    assert {name for name, folder in folders.items() if folder.exists()} == {"young", "worked in", "again"}


def test_only_this_user_can_read_it(settings: Callable[..., Settings]) -> None:
    assert stat.S_IMODE(unfinished_folder(settings(), "work").stat().st_mode) == 0o700


def test_a_folder_whose_time_cannot_be_set_will_do(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    assert unfinished_folder(settings(), "work").is_dir()
