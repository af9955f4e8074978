"""A project is made, libraries are installed and an update is done while only loopback can be reached."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from render import ROOT
from toy import commit, git, recorded

# Nobody listens at port 9; an address that is no loopback ends there.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
CLOSED = {
    **dict.fromkeys(PROXIES, "http://127.0.0.1:9"),
    **{"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PIP_CONFIG_FILE": os.devnull},
    **{"GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"},
}


def wheel(folder: Path) -> Path:
    """Return a wheel of one module."""
    about = "tiny-1.0.dist-info"
    files = {
        "tiny.py": b"HERE = True\n",
        f"{about}/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    made = folder / "simple/tiny/tiny-1.0-py3-none-any.whl"
    made.parent.mkdir(parents=True)
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{about}/RECORD", "".join([*lines, f"{about}/RECORD,,\n"]))
    return made


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Give the address of an index on loopback, and the line of a lock for the library in it."""
    made = wheel(tmp_path / "index")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        yield (
            f"http://127.0.0.1:{server.server_address[1]}/simple",
            f"tiny==1.0 --hash=sha256:{digest}\n",
        )
        server.shutdown()


@pytest.mark.nightly
def test_libraries_come_from_an_index_on_loopback_and_from_nowhere_else(
    index: tuple[str, str], tmp_path: Path
) -> None:
    address, line = index
    (tmp_path / "requirements.lock").write_text(line)
    command = [
        "sh",
        str(ROOT / "template/engine/scripts/prepare.sh"),
        str(tmp_path / "venv"),
        "requirements.lock",
    ]
    environment = os.environ | CLOSED | {"PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
    closed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert closed.returncode != 0
    environment["PIP_INDEX_URL"] = address
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    subprocess.run([tmp_path / "venv/bin/python", "-c", "import tiny; assert tiny.HERE"], check=True)


def test_a_project_is_made_and_updated_without_any_network(toy: Path, tmp_path: Path) -> None:
    environment = os.environ | CLOSED | {"PYTHONPATH": str(ROOT / "src")}
    project = tmp_path / "project"

    def said(*arguments: str, code: int = 0) -> None:
        command = [sys.executable, "-m", "acceleray_cli", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stderr

    said("new", str(project), "--template", str(toy), "--at", "1.0.0", "--defaults")
    git(project, "init", "--quiet")
    commit(project, "generated")
    said("check", str(project), code=4)
    said("update", str(project))
    assert recorded(project)["_commit"] == "1.1.0"
