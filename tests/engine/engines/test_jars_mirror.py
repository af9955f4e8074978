"""The Delta jars come from a mirror or a folder, and only those that are pinned."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from acceleray.engines.spark import jars
from acceleray.errors import PortfolioError

JAVA = Path("/no/java")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder laid out as Maven does, with jars of a few bytes and their pins."""
    folder = tmp_path / "mirror ü"
    for name in jars.ARTIFACTS:
        path = folder / f"io/delta/{name}/{jars.DELTA_VERSION}/{name}-{jars.DELTA_VERSION}.jar"
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
        monkeypatch.setitem(jars.ARTIFACTS, name, hashlib.sha256(name.encode()).hexdigest())
    return folder


@pytest.fixture
def served(mirror: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(mirror))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_jars_come_from_a_folder_and_from_a_mirror(mirror: Path, served: str, tmp_path: Path) -> None:
    for number, place in enumerate((str(mirror), mirror.as_uri(), served, f"{served}/")):
        found = jars.delta_jars(tmp_path / str(number), JAVA, place)
        assert [path.read_bytes().decode() for path in found] == list(jars.ARTIFACTS)


def test_a_jar_that_is_not_there_or_another_one_is_said_in_one_line_without_the_password(
    mirror: Path, served: str, tmp_path: Path
) -> None:
    with pytest.raises(PortfolioError, match=r"correct paths\.maven") as refused:
        jars.delta_jars(tmp_path / "cache", JAVA, served.replace("//", "//kim:S3CRET@") + "/nowhere")
    assert "S3CRET" not in str(refused.value)
    assert "\n" not in str(refused.value)
    next(mirror.rglob("*.jar")).write_bytes(b"another")
    with pytest.raises(PortfolioError, match="is not the pinned"):
        jars.delta_jars(tmp_path / "cache", JAVA, str(mirror))
    with pytest.raises(PortfolioError, match=r"correct paths\.maven"):
        jars.delta_jars(tmp_path / "third", JAVA, str(tmp_path / "none"))
