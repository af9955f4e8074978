"""A project for tests of the engine: its settings are rendered, its code is the template's, in place."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template"
ENGINE = TEMPLATE / "engine"
TESTS = Path(__file__).parent
# All that is taken from a render: the engine and the recipes are found by import path, wherever that leads.
_TAKEN = ("conf", "resources", "databricks.yml.jinja", "pyproject.toml.jinja")


@cache
def project() -> Path:
    """Return a folder with the reference's settings, rendered once in each test process; without any code."""
    from render import render

    scratch = Path(tempfile.mkdtemp(prefix="acceleray-tests-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    source = scratch / "source"
    shutil.copytree(ROOT / "includes", source / "includes")
    shutil.copy2(ROOT / "copier.yml", source)
    for name in _TAKEN:
        taken = TEMPLATE / name
        (source / "template").mkdir(exist_ok=True)
        copied = source / "template" / name
        (shutil.copytree if taken.is_dir() else shutil.copy2)(taken, copied)
    answers = yaml.safe_load((ROOT / "answers/reference.yml").read_text(encoding="utf-8"))
    # With it come dashboard and alerts, whose queries are executed here.
    return render(source, scratch / "project", {**answers, "sql_warehouse": "Starter"})


def python_path() -> str:
    """Return a PYTHONPATH on which another process finds the engine and the recipes that are tested here."""
    import acceleray
    import portfolio

    found = (Path(str(package.__file__)).parents[1] for package in (acceleray, portfolio))
    return os.pathsep.join(map(str, found))
