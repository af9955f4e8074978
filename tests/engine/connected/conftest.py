"""One Spark Connect server for all tests of a process, with plans interpreted, and sessions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from acceleray.engines.spark.connect import connect_session
from acceleray.engines.spark.connect_server import connect_server
from acceleray.settings import Settings

# Compiling or improving plans takes longer than few rows do.
INTERPRETED = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def server(
    new_settings: Callable[[], Callable[..., Settings]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the address of the server, with its token."""
    with connect_server(new_settings()(), tmp_path_factory.mktemp("server"), INTERPRETED) as address:
        yield address


@pytest.fixture
def connected(server: str, new_settings: Callable[[], Callable[..., Settings]]) -> Callable[..., Any]:
    """Return a block that yields settings of a new project and its session on the server."""

    @contextmanager
    def block(*overrides: str) -> Iterator[tuple[Settings, Any]]:
        settings = new_settings()("profile=connect", f"spark.remote={server}", *overrides)
        with connect_session(settings) as session:
            yield settings, session

    return block
