"""The fan-out on a real Ray cluster; one for the whole module, because it takes seconds to start."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray

from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.ray.fanout import FanOut, batches
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from engines.living import command_line, content, descendants, files_below, gone, listening, named

pytestmark = pytest.mark.ray

SETTINGS = Settings.model_validate(
    {"project": {"name": "tests", "customer": "Tests"}, "ray": {"workers": 2, "object_store_mb": 80}}
)
CLUSTER = f"""
import sys, time
from acceleray.engines.ray.local import local_ray
from acceleray.settings import Settings
settings = Settings.model_validate({SETTINGS.model_dump(include={"project", "ray"})})
def negative(number):
    return -number
for _ in range(int(sys.argv[1])):
    with local_ray(settings) as fan_out:
        print(*fan_out.map(negative, [-1, -2, -3]), flush=True)
        time.sleep(float(sys.argv[2]))
print("done", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module", autouse=True)
def sent_by_value() -> Iterator[None]:
    # Ray's workers cannot import a test module; the package itself they can.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def slow_first(number: int) -> int:
    time.sleep(1.0 if number == 0 else 0.0)
    return number * number


def weighted(weight: float, shared: Any, power: int = 1) -> tuple[float, bool]:
    return float(weight * (shared**power).sum()), bool(shared.flags.writeable)


def third_fails(number: int) -> int:
    if number == 2:
        raise ValueError("negative\nprice")
    return number


def dies_once(marker: str) -> int:
    path = Path(marker)
    if not path.exists():
        path.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return int(path.read_text())


def waits(marker: str) -> None:
    while not Path(marker).exists():
        time.sleep(0.01)


def threads(_: int) -> str:
    return os.environ["OMP_NUM_THREADS"]


def session_folders(pid: int) -> list[Path]:
    return list(Path("/tmp").glob(f"pf-{pid}-r*"))


def test_results_come_in_the_order_of_the_tasks_however_long_each_takes(fan_out: FanOut) -> None:
    counted: list[int] = []
    assert list(fan_out.map(slow_first, range(7), done=counted.append)) == [0, 1, 4, 9, 16, 25, 36]
    assert counted == [1, 2, 3, 4, 5, 6, 7]
    assert list(fan_out.map(slow_first, [])) == []


def test_batches_change_no_result_and_a_failure_in_one_is_named(fan_out: FanOut) -> None:
    counted: list[int] = []
    squares = [number * number for number in range(40)]
    assert list(fan_out.map(slow_first, range(40), done=counted.append, batch=4)) == squares
    assert counted == list(range(1, 41))
    with pytest.raises(PortfolioError, match=r"^third_fails tasks 1 to 4 of 40 failed: ValueError"):
        list(fan_out.map(third_fails, range(40), batch=4))


def test_batches_are_of_every_task_once_and_end_with_single_ones() -> None:
    for count, workers, most in ((0, 2, 8), (1, 2, 8), (7, 2, 8), (500, 2, 8), (500, 64, 8), (40, 2, 1)):
        cut = list(batches(count, workers, most))
        assert [number for part in cut for number in part] == list(range(count))
        assert max(map(len, cut), default=1) <= most
        # Whoever ends last had at most a quarter of a worker's share of what was left then.
        for part in cut:
            assert len(part) == 1 or len(part) * 4 * workers <= count - part[0]
    assert len(list(batches(500, 2, 8))) < 100


class Squares:
    """A thousand million tasks, and how many of them were made."""

    made = 0

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, number: int) -> int:
        self.made += 1
        return number + 1


def test_a_task_is_made_when_there_is_room_for_it_however_many_there_are(fan_out: FanOut) -> None:
    results = fan_out.map(slow_first, tasks := Squares(), batch=4)
    assert [next(results) for _ in range(9)] == [number * number for number in range(1, 10)]
    # Two batches were taken and a third begun; at most sixteen were ahead of each.
    assert tasks.made <= 4 * (3 + 8 * 2)
    results.close()


def test_a_shared_array_reaches_every_task_whole_and_read_only(fan_out: FanOut) -> None:
    shared = fan_out.share(np.arange(100_000, dtype=np.float64))
    total = 100_000 * 99_999 / 2
    assert list(fan_out.map(weighted, [1.0, 2.0, 3.0], [shared])) == [
        (total, False),
        (2 * total, False),
        (3 * total, False),
    ]
    [(squares, _)] = fan_out.map(weighted, [1.0], [shared], power=2)
    assert squares == pytest.approx(99_999 * 100_000 * 199_999 / 6)


def test_a_task_that_fails_is_named_in_one_plain_line(fan_out: FanOut) -> None:
    with pytest.raises(PortfolioError) as caught:
        list(fan_out.map(third_fails, range(5)))
    assert str(caught.value) == "third_fails task 3 of 5 failed: ValueError: negative price"


def test_a_task_whose_worker_is_killed_runs_again(fan_out: FanOut, tmp_path: Path) -> None:
    markers = [str(tmp_path / name) for name in ("first", "second")]
    killed = list(fan_out.map(dies_once, markers))
    assert len(set(killed)) == 2
    assert gone(process for process in descendants() if process.pid in killed)


def test_a_task_that_never_ends_is_given_up(fan_out: FanOut, tmp_path: Path) -> None:
    impatient, marker = FanOut(workers=2, task_timeout_s=1), tmp_path / "given up"
    with pytest.raises(
        PortfolioError, match=r"^waits task 1 of 1 gave no result in 1 s; raise ray.task_timeout_s"
    ):
        list(impatient.map(waits, [str(marker)]))
    marker.touch()


def test_each_task_computes_on_one_thread(fan_out: FanOut) -> None:
    assert set(fan_out.map(threads, range(4))) == {"1"}


def test_ray_listens_on_this_machine_only(fan_out: FanOut) -> None:
    list(fan_out.map(slow_first, range(4)))
    found = listening(descendants())
    assert any(name.startswith("gcs") for name, _ in found)
    assert {address for _, address in found} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def test_the_token_is_on_and_in_no_file_and_no_command_line(fan_out: FanOut) -> None:
    token = os.environ["RAY_AUTH_TOKEN"]
    assert (len(token), os.environ["RAY_AUTH_MODE"]) == (64, "token")
    [folder] = session_folders(os.getpid())
    files = files_below(folder)
    assert any(path.suffix == ".out" for path in files)
    assert not [path for path in files if token.encode() in content(path)]
    lines = [line for line in map(command_line, descendants()) if line]
    assert len(lines) > 2
    assert not [line for line in lines if token in line]


def test_only_this_user_can_read_the_session_folder(fan_out: FanOut) -> None:
    [folder] = session_folders(os.getpid())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.nightly
def test_a_process_may_start_one_cluster_after_another_and_nothing_of_them_is_left() -> None:
    with cluster_process(clusters=2, seconds=0.0) as process:
        assert read_lines(process, 3) == ["1 2 3", "1 2 3", "done"]
        assert gone(descendants(process.pid))
        assert session_folders(process.pid) == []


@pytest.mark.nightly
def test_a_killed_run_takes_ray_with_it_and_the_next_one_removes_its_folder(tmp_path: Path) -> None:
    with cluster_process(clusters=1, seconds=3600.0) as process:
        assert read_lines(process, 1) == ["1 2 3"]
        children = descendants(process.pid)
        assert {"gcs_server", "raylet"} <= {named(child) for child in children}
        process.kill()
        process.wait()
        assert gone(children)
        assert len(session_folders(process.pid)) == 1
    with scratch_folder("test"):
        pass
    assert session_folders(process.pid) == []


def cluster_process(clusters: int, seconds: float) -> Any:
    """Start another Python that opens clusters, prints a line in each, and then waits."""
    command = [sys.executable, "-c", CLUSTER, str(clusters), str(seconds)]
    return _Killed(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))


class _Killed:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def __enter__(self) -> "subprocess.Popen[str]":
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def read_lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_one_long_task_keeps_no_worker_idle(fan_out: FanOut, tmp_path: Path) -> None:
    # The first waits until the eighth has run; with two at a time it would wait for ever.
    results = list(fan_out.map(waits_for_the_eighth, range(12), marker=str(tmp_path / "eighth")))
    assert results == list(range(12))


def waits_for_the_eighth(number: int, marker: str) -> int:
    if number == 7:
        Path(marker).touch()
    while number == 0 and not Path(marker).exists():
        time.sleep(0.01)
    return number


def test_results_do_not_pile_up_behind_a_long_task(fan_out: FanOut, tmp_path: Path) -> None:
    # Forty tasks, two workers: only those that may be ahead of the first one are done while it lasts.
    first, *others = fan_out.map(counts_those_ahead, range(40), folder=str(tmp_path))
    assert first == 8 * 2 - 1
    assert others == [0] * 39


def counts_those_ahead(number: int, folder: str) -> int:
    if number:
        (Path(folder) / str(number)).touch()
        return 0
    while len(list(Path(folder).iterdir())) < 15:
        time.sleep(0.01)
    time.sleep(1.0)
    return len(list(Path(folder).iterdir()))
