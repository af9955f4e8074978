"""A Spark Connect server with Delta on this machine: loopback only, protected by a token."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyspark

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.signals import first_line
from acceleray.engines.ray.environment import LOOPBACK, python_path
from acceleray.engines.spark.jars import delta_jars
from acceleray.engines.spark.java import FALLBACK_JAVA_LOCK, java_home
from acceleray.engines.spark.session import options_here
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# Of the class and of what it logs when it listens: seen in Spark 4.1.4.
_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_READY = re.compile(r"Spark Connect server started at: \S*?:(\d+)")
_TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"
_START_S, _STOP_S = 600.0, 30.0


@contextmanager
def connect_server(settings: Settings, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the address of a new server, with its token, and end it whatever happens.

    Args:
        settings: sizes, folders and names.
        folder: private and empty; options, log and temporary files go there.
        more: further options of Spark.

    Raises:
        PortfolioError: there is no usable Java, the Delta jars cannot be had, or the server does not start.
    """
    java = java_home(settings.cache_dir, settings.project_dir / FALLBACK_JAVA_LOCK)
    options = options_here(settings, delta_jars(settings.cache_dir, java, settings.paths.maven), folder) | {
        "spark.master": f"local[{settings.spark.cores or '*'}]",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": "0",
        **(more or {}),
    }
    lines = "".join(f"{name} {_escaped(value)}\n" for name, value in options.items())
    (folder / "server.conf").write_text(lines, encoding="utf-8")
    token = secrets.token_hex(32)
    home = Path(pyspark.__file__).parent
    environment = {
        "JAVA_HOME": str(java),
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": None,
        "SPARK_REMOTE": None,
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": python_path(),
        # Not among the options: those stand in a file, and a command line can be read by every user.
        _TOKEN: token,
    }
    command = [str(home / "bin" / "spark-class"), "org.apache.spark.deploy.SparkSubmit", "--class", _CLASS]
    command += ["--properties-file", str(folder / "server.conf"), "--name", settings.project.name]
    log = folder / "server.log"
    with process_environment(environment), log.open("wb") as written:
        server = subprocess.Popen(
            [*command, "spark-internal"],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            # Ctrl-C in a terminal is for the run, which stops the server in its own order.
            start_new_session=True,
        )
    try:
        # This name, and no number: only for it does pyspark send a token without TLS.
        yield f"sc://localhost:{_port(server, log)}/;token={token}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _port(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := _READY.search(text):
            return found[1]
        if server.poll() is not None:
            break
        time.sleep(0.1)
    last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise PortfolioError(f"The Spark Connect server did not start: {first_line(RuntimeError(last))[:200]}.")


def _escaped(value: str) -> str:
    # As java.util.Properties reads it.
    return value.replace("\\", "\\\\")
