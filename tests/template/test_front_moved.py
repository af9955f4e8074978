"""The table of what moved into the engine is complete, and every place in it is there."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from acceleray.runtime.project import Project
from acceleray_cli.files import Snapshot, snapshot
from acceleray_cli.handover import due, hand_over
from acceleray_cli.modules import OBJECT, dotted_name
from acceleray_cli.moved import ENGINE, longest, table
from conftest import contents
from releases import missing_history
from updating import WITHOUT_ENGINE, generate, generated

pytestmark = pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here")
SUBSETS = [
    ["portfolio_model_calibration"],
    ["batch_inference", "distributed_training", "investment_signal_prioritization"],
    ["hyperparameter_tuning", "risk_stress_testing"],
]


@pytest.fixture(scope="module")
def today(source: Path) -> Path:
    return generated(source)


@pytest.fixture(scope="module")
def earlier(source: Path) -> list[Path]:
    """Return a project of each release without engine/, with all workloads, oldest first."""
    return [generated(source, version) for version in WITHOUT_ENGINE]


@pytest.fixture(scope="module")
def gone(earlier: list[Path], today: Path) -> set[str]:
    """Return the paths that releases without engine/ give with all workloads, and today's does not."""
    return {path for project in earlier for path in contents(project)} - contents(today).keys()


def test_every_file_that_is_gone_has_a_place_or_a_reason(gone: set[str]) -> None:
    assert len(gone) > 400
    assert not [path for path in sorted(gone) if table().place(path) is None]


def test_every_place_is_there_and_says_what_to_use_instead_of_an_edit(gone: set[str], today: Path) -> None:
    places = {path: place for path in gone if (place := table().place(path))}
    missing = {
        path: place.path
        for path, place in places.items()
        if place.path and not (today / place.path).is_file()
    }
    assert not missing
    assert not [path for path, place in places.items() if not place.instead and path not in OUTSIDE]


# Not below engine/: the place of a project's own tables.
OUTSIDE = {"src/portfolio/tables/own/__init__.py"}


def test_no_row_is_without_a_file(gone: set[str], today: Path) -> None:
    used = {table().row(path) for path in gone}
    assert not [row for row in (*table().files, *table().left) if row not in used]
    engine = [name for name in contents(today) if name.startswith(ENGINE)]
    points = {longest(name, table().points) for name in engine}
    assert not [point for point in table().points if point not in points]


def test_every_name_of_a_module_that_moved_is_in_its_new_place_or_in_the_table(
    earlier: list[Path], today: Path
) -> None:
    old = earlier[-1]
    missing = set()
    for path in sorted((old / "src/portfolio").rglob("*.py")):
        name = path.relative_to(old).as_posix()
        place = table().place(name)
        if place is None or place.path is None or (today / name).exists():
            continue
        there = defined(today / place.path) | imported(today / place.path)
        missing |= {f"{dotted_name(name)}.{one}" for one in (defined(path) | offered(path)) - there}
    assert missing - table().names.keys() == set()
    assert {name for name, new in table().names.items() if not new} <= missing


def defined(path: Path) -> set[str]:
    """Return the public names that a module defines."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def offered(path: Path) -> set[str]:
    """Return the names that a module lists as `__all__`, wherever they are from."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def imported(path: Path) -> set[str]:
    """Return the names that a module takes from others, and so has itself."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in froms for alias in node.names}


def test_every_name_in_code_is_there(today: Path) -> None:
    modules = {dotted: today / name for name in contents(today) if (dotted := dotted_name(name))}
    for new in filter(None, table().names.values()):
        module, _, name = new.rpartition(".")
        if new.startswith(OBJECT):
            assert callable(getattr(Project, new.removeprefix(OBJECT)))
        elif new not in modules:
            # A name that moved to another module than the rest of its own did.
            assert name in defined(modules[module])
    assert {old.rpartition(".")[0] for old in table().calls} <= {dotted_name(row) for row in table().files}


def test_a_file_that_no_row_covers_is_missed(gone: set[str]) -> None:
    assert table().place("src/portfolio/workloads/risk_stress_testing.py") is None
    assert table().place("notebooks/07_risk_stress_testing.py") is None
    assert not {path for path in gone if path.startswith(("notebooks/", "resources/", "conf/"))}


@pytest.mark.nightly
@pytest.mark.parametrize("version", WITHOUT_ENGINE)
@pytest.mark.parametrize("workloads", SUBSETS, ids=lambda names: "+".join(names))
def test_every_file_that_is_gone_from_some_workloads_has_a_place(
    workloads: list[str], version: str, source: Path, tmp_path: Path
) -> None:
    chosen: dict[str, Any] = {"workloads": workloads}
    old = contents(generate(source, tmp_path / "old", version, **chosen))
    new = contents(generate(source, tmp_path / "new", **chosen))
    assert not [path for path in sorted(old.keys() - new.keys()) if table().place(path) is None]


def test_nothing_of_ours_is_rewritten_or_named(gone: set[str], today: Path, tmp_path: Path) -> None:
    fresh = snapshot(today)
    old: Snapshot = dict.fromkeys(gone, fresh["README.md"])
    assert due(old, fresh)
    assert not due(fresh, fresh)
    # As if a customer had written all of it, but for the one file that names modules yet to be written.
    ours = {name: fresh[name] for name in ("src/portfolio/__init__.py",)}
    done = hand_over(today, old, fresh, ours, table())
    assert (done.moved, done.rewritten, done.remarks) == ({}, set(), [])
