"""A real Spark standalone cluster on this machine: a master and workers, on loopback, for this user only."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from acceleray.engines.processes.signals import first_line
from acceleray.engines.spark.java import FALLBACK_JAVA_LOCK, java_home
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# Spark's own name for the variable in which its processes hand the shared secret on.
SECRET = "_SPARK_AUTH_SECRET"
_START_S = 600.0
_OPTIONS = """\
spark.authenticate true
spark.master.rest.enabled false
spark.ui.killEnabled false
"""
_READY = {
    "master": re.compile(r"Starting Spark master at (spark://\S+)"),
    "page": re.compile(r"MasterWebUI.* started at (http://\S+)"),
    "worker": re.compile(r"Successfully registered with master (spark://\S+)"),
}


@dataclass(frozen=True)
class Standalone:
    """A running cluster: where its master is, its page, and its processes, master first."""

    master: str
    page: str
    pids: tuple[int, ...]
    started: tuple[float, ...]

    def secret(self) -> str:
        """Return the secret that applications need; it lives in the daemons' environment alone.

        Raises:
            PortfolioError: the master is gone.
        """
        try:
            return psutil.Process(self.pids[0]).environ()[SECRET]
        except (psutil.Error, KeyError):
            raise PortfolioError(f"The Spark master at {self.master} is gone; start it again.") from None

    def alive(self) -> tuple[psutil.Process, ...]:
        """Return those of the cluster's processes that live."""
        found = []
        for pid, started in zip(self.pids, self.started, strict=True):
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                # A number is used again by the system; the time of start tells two processes apart.
                if abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return tuple(found)

    def state(self) -> dict[str, int]:
        """Return workers alive, slots, slots that applications hold, and applications, as the master says."""
        with urllib.request.urlopen(f"{self.page}/json/", timeout=10) as answer:
            said = json.load(answer)
        workers = [worker for worker in said["workers"] if worker["state"] == "ALIVE"]
        return {
            "workers": len(workers),
            "slots": sum(worker["cores"] for worker in workers),
            "held": sum(worker["coresused"] for worker in workers),
            "applications": len(said["activeapps"]),
        }


def start(settings: Settings, folder: Path) -> Standalone:
    """Start a master and `cluster.workers` workers that keep what they write in `folder`.

    They listen on loopback, on ports that are free, and answer only to who knows their secret.

    Raises:
        PortfolioError: a process did not come up; the line names its log.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A log of an earlier cluster would answer for this one.
    for log in folder.glob("*.log"):
        log.unlink()
    (folder / "daemons.conf").write_text(_OPTIONS, encoding="utf-8")
    environment = _environment(settings, folder)
    size = settings.cluster
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(_daemon(environment, folder, "master", ["master.Master", "--host", "127.0.0.1"]))
        master = _said(processes[0], folder / "master.log", "master")
        page = _said(processes[0], folder / "master.log", "page")
        offer = ["--cores", str(size.cores_per_worker), "--memory", size.executor_memory]
        for number in range(1, size.workers + 1):
            command = [
                "worker.Worker",
                "--host",
                "127.0.0.1",
                *offer,
                "--work-dir",
                str(folder / "work"),
                master,
            ]
            processes.append(_daemon(environment, folder, f"worker-{number}", command))
        for number, process in enumerate(processes[1:], 1):
            _said(process, folder / f"worker-{number}.log", "worker")
        started = tuple(psutil.Process(process.pid).create_time() for process in processes)
    except BaseException:
        for process in processes:
            process.kill()
            process.wait()
        raise
    return Standalone(master, page, tuple(process.pid for process in processes), started)


def stop(cluster: Standalone) -> None:
    """End the cluster's processes, workers first, and what they started."""
    daemons = cluster.alive()
    family = [child for daemon in daemons for child in daemon.children(recursive=True)]
    for daemon in reversed(daemons):
        with suppress(psutil.Error):
            daemon.terminate()
    _, left = psutil.wait_procs([*daemons, *family], timeout=10)
    for process in left:
        with suppress(psutil.Error):
            process.kill()


def remember(cluster: Standalone, folder: Path) -> None:
    """Write down where a cluster is, so that later commands find it; its secret is not among it."""
    text = json.dumps(cluster.__dict__, indent=1)
    (folder / "cluster.json").write_text(text, encoding="utf-8")


def remembered(folder: Path) -> Standalone | None:
    """Return the cluster that was written down in a folder, if its master lives."""
    try:
        known = json.loads((folder / "cluster.json").read_text(encoding="utf-8"))
        cluster = Standalone(known["master"], known["page"], tuple(known["pids"]), tuple(known["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return cluster if any(process.pid == cluster.pids[0] for process in cluster.alive()) else None


def forget(folder: Path) -> None:
    """Remove what a cluster wrote."""
    shutil.rmtree(folder, ignore_errors=True)


def _environment(settings: Settings, folder: Path) -> dict[str, str]:
    import pyspark

    foreign = {"SPARK_CONF_DIR", "SPARK_MASTER_OPTS", "SPARK_WORKER_OPTS", "SPARK_PUBLIC_DNS"}
    return {name: value for name, value in os.environ.items() if name not in foreign} | {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "JAVA_HOME": str(java_home(settings.cache_dir, settings.project_dir / FALLBACK_JAVA_LOCK)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        SECRET: secrets.token_hex(32),
    }


def _daemon(
    environment: dict[str, str], folder: Path, name: str, command: list[str]
) -> subprocess.Popen[bytes]:
    program = [f"{environment['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{command[0]}"]
    options = ["--port", "0", "--webui-port", "0", "--properties-file", str(folder / "daemons.conf")]
    log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            [*program, *options, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            # Ctrl-C in a terminal is for the run, which stops the cluster in its own order.
            start_new_session=True,
        )
    finally:
        os.close(log)


def _said(process: subprocess.Popen[bytes], log: Path, what: str) -> str:
    """Return what a daemon says about itself once it is up."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if found := _READY[what].search(text):
            return found.group(1).rstrip(".")
        if process.poll() is not None:
            break
        time.sleep(0.1)
    last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    raise PortfolioError(
        f"The Spark {what} did not start: {first_line(RuntimeError(last))[:200]} (log: {log})."
    )
