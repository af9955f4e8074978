"""Checkpoints of two machines that train the same model at once on one state: neither touches the other's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray.engines.ray.training import checkpoint_folder, forget
from acceleray.settings import Settings


def checkpoint(folder: Path, rounds: int) -> None:
    """Leave in a folder what Ray Train and its workers do, in small."""
    folder.mkdir(exist_ok=True)
    (folder / "rounds").write_text(str(rounds), encoding="ascii")
    (folder / f"checkpoint_{rounds}").mkdir()
    (folder / f"checkpoint_{rounds}" / "model.json").write_text(f"after {rounds}", encoding="ascii")


def kept(folder: Path) -> list[str]:
    return sorted(path.read_text(encoding="ascii") for path in folder.glob("checkpoint_*/model.json"))


def test_the_first_of_two_machines_to_commit_leaves_the_checkpoints_of_the_other(
    settings: Callable[..., Settings],
) -> None:
    one, other = (settings(f"paths.machine={name}") for name in ("one", "two"))
    first, second = (checkpoint_folder(machine, "key") for machine in (one, other))
    assert first.parent == second.parent
    checkpoint(first, 10)
    checkpoint(second, 5)
    assert (kept(first), kept(second)) == (["after 10"], ["after 5"])
    forget(one, "key")
    assert not first.exists()
    assert kept(checkpoint_folder(other, "key")) == ["after 5"]
    forget(other, "key")
    assert list(first.parent.iterdir()) == []


def test_a_machine_without_checkpoints_goes_on_from_the_most_advanced_of_the_others(
    settings: Callable[..., Settings],
) -> None:
    one, other, third = (settings(f"paths.machine={name}") for name in ("one", "two", "three"))
    left = checkpoint_folder(one, "key")
    checkpoint(left, 10)
    copy = checkpoint_folder(other, "key")
    assert kept(copy) == ["after 10"]
    checkpoint(copy, 15)
    assert kept(left) == ["after 10"]
    assert kept(checkpoint_folder(third, "key")) == ["after 10", "after 15"]
    # Where there are some, they are gone on with, whatever others have.
    assert kept(checkpoint_folder(one, "key")) == ["after 10"]
    assert kept(checkpoint_folder(one, "other")) == []


def test_a_folder_of_an_earlier_release_is_gone_on_with_and_removed(
    settings: Callable[..., Settings],
) -> None:
    one = settings()
    folder = checkpoint_folder(one, "key")
    earlier = folder.with_name("training-key")
    checkpoint(earlier, 20)
    assert kept(checkpoint_folder(one, "key")) == ["after 20"]
    forget(one, "key")
    assert list(folder.parent.iterdir()) == []


def test_a_copy_that_another_machine_interrupts_is_no_error(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint(checkpoint_folder(settings("paths.machine=one"), "key"), 10)

    def gone(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("shutil.copyfile", gone)
    assert kept(checkpoint_folder(settings("paths.machine=two"), "key")) == []
