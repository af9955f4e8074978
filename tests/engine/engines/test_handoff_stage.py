"""The stage: private, gone afterwards, swept after a killed run, and any name of a folder will do."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff import stage as module
from acceleray.engines.handoff.stage import new_stage, spark_pattern, sweep_stages
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from engines.handing import Inline, expected, fill, same, scores, stages, transform

KILLED = """
import os, signal, sys
from acceleray.engines.handoff.stage import new_stage
from acceleray.settings import Settings
settings = Settings.model_validate({"project": {"name": "t", "customer": "t"}, "project_dir": sys.argv[1]})
with new_stage(settings) as stage:
    (stage / "rows").mkdir()
    (stage / "rows" / "part.parquet").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings.model_validate({"project": {"name": "t", "customer": "t"}, "project_dir": tmp_path})


def test_only_this_user_can_read_a_stage_and_it_goes_with_an_error(home: Settings) -> None:
    with suppress(KeyboardInterrupt), new_stage(home) as stage:
        assert stat.S_IMODE(stage.stat().st_mode) == 0o700
        (stage / "rows").mkdir()
        raise KeyboardInterrupt
    assert list(home.stage_dir.iterdir()) == []


def test_the_stage_of_a_killed_run_is_swept_and_that_of_a_living_one_is_not(home: Settings) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(home.project_dir)])
    assert killed.returncode < 0
    [left] = home.stage_dir.iterdir()
    with new_stage(home) as alive:
        assert sweep_stages(home) == (left.name,)
        assert list(home.stage_dir.iterdir()) == [alive]


def test_of_another_machine_only_old_stages_are_swept(home: Settings) -> None:
    for name, days in (("young", 1), ("old", 4)):
        folder = home.stage_dir / f"stage-far-away-{name}-999999-abc"
        folder.mkdir(parents=True)
        age(folder, days)
    (home.stage_dir / "somebody's folder").mkdir()
    age(home.stage_dir / "somebody's folder", 30)
    assert sweep_stages(home) == ("stage-far-away-old-999999-abc",)
    assert len(list(home.stage_dir.iterdir())) == 2


def test_a_process_that_only_inherited_the_number_does_not_protect_a_stage(home: Settings) -> None:
    with new_stage(home) as stage:
        age(stage, 2)
        assert sweep_stages(home) == (stage.name,)


def test_nothing_is_swept_where_nothing_was_staged(home: Settings) -> None:
    assert sweep_stages(home) == ()
    assert not home.stage_dir.exists()


def test_a_volume_of_databricks_has_no_scheme(home: Settings) -> None:
    volume = Path("/Volumes/main/gold/stage/a[1]")
    remote = home.model_copy(update={"profile": "databricks"})
    assert module.spark_path(remote, volume) == "/Volumes/main/gold/stage/a[1]"
    assert spark_pattern(remote, volume) == r"/Volumes/main/gold/stage/a\[1\]"


@pytest.mark.parametrize("way", [pytest.param("direct", marks=pytest.mark.nightly), "staged"])
def test_a_folder_may_have_any_name(make_run: Callable[..., Run], tmp_path: Path, way: str) -> None:
    odd = tmp_path / "it's 100 %41 [x]{y,z} * ü # ?"
    odd.mkdir()
    run = make_run(f"hand_off.way={way}", "hand_off.rows_per_task=30")
    run.settings = run.settings.model_copy(update={"project_dir": odd})
    run.lake = Lake(run.lake.spark, run.settings)
    version = fill(run.lake, "one", 40)
    said: list[str] = []
    assert transform(run, Inline(before=lambda tasks: under(tasks, odd)), version, said=said).rows == 40
    assert same(scores(run), expected(40))
    assert stages(run) == []


def under(tasks: Any, folder: Path) -> None:
    assert all(Path(piece.file.path).is_relative_to(folder) for _, pieces in tasks for piece in pieces)
    [stage] = (folder / "var" / "stage").iterdir()
    assert stat.S_IMODE(stage.stat().st_mode) == 0o700


def age(folder: Path, days: float) -> None:
    then = folder.stat().st_mtime - days * 24 * 3600
    os.utime(folder, (then, then))
