"""What tests share: this project, running on a small slice of prices with engines started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from acceleray.testing import SmallProject, small_project
from portfolio import PROJECT

FOLDER = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def folder() -> Path:
    """Return the folder of this project."""
    return FOLDER


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallProject]:
    """Return this project, with prices of five instruments and a state of its own."""
    with small_project(PROJECT, FOLDER, tmp_path_factory.mktemp("small")) as project:
        yield project
