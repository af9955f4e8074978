"""One model trained by several processes on a real Ray: same bits on any number of CPUs, and after a kill."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from acceleray.engines.ray import training
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.local import local_ray
from acceleray.engines.ray.training import (
    Boosting,
    Fitted,
    checkpoint_folder,
    cpus_per_shard,
    fit_on_shards,
    forget,
    resources_per_shard,
)
from acceleray.errors import PortfolioError
from acceleray.quant.bins import TOLERANCE
from acceleray.quant.boosting import fit, parameters, predict, restored, saved
from acceleray.settings import Model, Settings
from engines.living import descendants, saying

pytestmark = pytest.mark.ray

OPEN_TO_ALL = ("0.0.0.0", "*", "::")
NAMES = ("a", "b", "c", "d")
MODEL, SEED = Model(rounds=150, max_depth=4), 7
BOOSTING = Boosting(parameters(MODEL, SEED), MODEL.rounds, NAMES, shards=3, checkpoint_rounds=5, key="k")
SMALL_MODEL = Model(rounds=30, max_depth=4)
SMALL = replace(BOOSTING, rounds=SMALL_MODEL.rounds)
DRIVER = """
import sys
from engines.test_training import *
with local_ray(settings(sys.argv[1], 2)) as fan_out:
    rows = fan_out.share(data())
    fit_on_shards(settings(sys.argv[1], 2), BOOSTING, rows, lambda rounds: print(rounds, flush=True))
    print("done", flush=True)
"""


def settings(home: Any, workers: int, machine: str = "") -> Settings:
    project = {"name": "tests", "customer": "Tests"}
    ray, paths = {"workers": workers, "object_store_mb": 80}, {"machine": machine}
    return Settings.model_validate({"project": project, "project_dir": home, "ray": ray, "paths": paths})


def data(rows: int = 30_000) -> SimpleNamespace:
    random = np.random.default_rng(11)
    features = (random.integers(0, 50, (rows, 4)) / 49 - 0.5).astype(np.float32)
    features[random.uniform(size=features.shape) < 0.05] = np.nan
    known = np.nan_to_num(features)
    target = known[:, 0] * known[:, 1] + 0.3 * known[:, 2] + random.normal(0, 0.3, rows)
    return SimpleNamespace(features=features, target=target)


def unfinished(home: Path) -> Path:
    return checkpoint_folder(settings(home, 2), "k")


@pytest.fixture(scope="module")
def alone() -> bytes:
    """Return the model of a single process."""
    rows = data()
    return saved(fit(rows.features, rows.target, NAMES, MODEL, SEED))


@contextmanager
def trainer_of(home: Path, workers: int, machine: str = "") -> Iterator[Any]:
    """Return a function that trains on a Ray with so many CPUs; no other may run in this process."""
    with local_ray(settings(home, workers, machine)) as fan_out:
        rows = fan_out.share(data())
        yield lambda done=lambda rounds: None, boosting=BOOSTING: fit_on_shards(
            settings(home, workers, machine), boosting, rows, done
        )


@pytest.mark.nightly
@pytest.mark.usefixtures("no_ray")
def test_one_cpu_for_three_shards_gives_the_model_of_a_single_process(tmp_path: Path, alone: bytes) -> None:
    with trainer_of(tmp_path, 1) as train:
        assert train() == Fitted(alone, 0)


@pytest.mark.nightly
def test_two_cpus_for_three_shards_give_the_model_of_a_single_process_and_listen_on_loopback_alone(
    tmp_path: Path, fan_out: FanOut
) -> None:
    before = set(Path.home().glob("ray_results/*"))
    heard: set[str] = set()
    seen: list[int] = []
    rows = data(3_000)
    alone = saved(fit(rows.features, rows.target, NAMES, SMALL_MODEL, SEED))
    over = threading.Event()

    def listen() -> None:
        looks: dict[str, int] = {}
        while not over.wait(0.2):
            looks = {one: looks.get(one, 0) + 1 for one in sockets()}
            for one, times in looks.items():
                address = one.rpartition(":")[0].strip("[]")
                # A new socket is open to all until it is noticed; slow machines look more slowly too.
                if address not in OPEN_TO_ALL or times > 10:
                    heard.add(address)

    thread = threading.Thread(target=listen)
    thread.start()
    found = fit_on_shards(settings(tmp_path, 2), SMALL, fan_out.share(rows), seen.append)
    over.set()
    thread.join()
    assert found == Fitted(alone, 0)
    # XGBoost's own sockets are on all addresses, but of the loopback device alone.
    assert heard == {"127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0%lo"}
    assert seen == sorted(seen)
    assert seen[-1] == SMALL.rounds
    known = rows.features.astype(np.float64)
    ours, theirs = (predict(restored(content), known, NAMES) for content in (found.content, alone))
    assert np.abs(ours - theirs).max() <= TOLERANCE
    # Of all checkpoints two are kept, and nothing is written anywhere else.
    assert len(list(unfinished(tmp_path).glob("checkpoint_2*"))) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"var"}
    assert set(Path.home().glob("ray_results/*")) == before
    forget(settings(tmp_path, 2), "k")
    assert list((tmp_path / "var" / "unfinished").iterdir()) == []


@pytest.mark.nightly
@pytest.mark.usefixtures("no_ray")
def test_a_killed_worker_is_replaced_and_all_go_on_from_the_checkpoint_with_the_same_bits(
    tmp_path: Path, alone: bytes
) -> None:
    with trainer_of(tmp_path, 4) as train:
        found: Fitted = train(killing())
    assert 5 <= found.resumed_from < MODEL.rounds
    assert found.content == alone


@pytest.mark.nightly
@pytest.mark.usefixtures("no_ray")
@pytest.mark.parametrize("machine", ["", "another"])
def test_a_killed_run_is_gone_on_with_by_the_next_one_with_the_same_bits(
    tmp_path: Path, alone: bytes, machine: str
) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            if line.strip().isdigit() and int(line) >= 20:
                break
        driver.send_signal(signal.SIGKILL)
    with trainer_of(tmp_path, 2, machine) as train:
        found: Fitted = train()
    # Of what it heard, the last checkpoint may not have been acknowledged, nor the one before it.
    assert 5 <= found.resumed_from < MODEL.rounds
    assert found.content == alone


@pytest.mark.nightly
@pytest.mark.usefixtures("no_ray")
def test_what_a_killed_run_left_damaged_is_thrown_away(
    tmp_path: Path, alone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_MAX_FAILURES", 0)
    (unfinished(tmp_path) / "checkpoint_manager_snapshot.json").write_text("{ha")
    with trainer_of(tmp_path, 2) as train:
        found: Fitted = train()
        assert found == Fitted(alone, 0)
        with pytest.raises(PortfolioError, match=r"^Training failed: .*max_depth"):
            train(boosting=Boosting({"max_depth": -1}, 5, NAMES, 2, 5, "other"))


@pytest.mark.nightly
@pytest.mark.usefixtures("no_ray")
def test_a_fit_that_draws_columns_begins_again_because_the_draws_cannot_be_gone_on_with(
    tmp_path: Path,
) -> None:
    model = Model(rounds=150, max_depth=4, colsample=0.5)
    drawing = Boosting(parameters(model, SEED), model.rounds, NAMES, 3, 5, "k")
    assert not drawing.resumable
    assert BOOSTING.resumable
    with trainer_of(tmp_path, 2) as train:
        found: Fitted = train(killing(), drawing)
    rows = data()
    assert found == Fitted(saved(fit(rows.features, rows.target, NAMES, model, SEED)), 0)


@pytest.mark.parametrize(
    ("cpus", "shards", "claim"),
    [
        ([2.0], 2, 1.0),
        ([4.0], 2, 1.0),
        ([1.0], 2, 0.5),
        ([2.0], 3, 0.6666),
        # Three shards on two nodes of one CPU: two must fit on the same node.
        ([1.0, 1.0], 3, 0.5),
        ([1.0, 4.0], 4, 0.5),
        ([1.0], 1024, 0.0009),
    ],
)
def test_shards_claim_so_little_that_all_of_them_fit_on_the_nodes(
    cpus: list[float], shards: int, claim: float
) -> None:
    assert cpus_per_shard(cpus, shards) == pytest.approx(claim)


def test_a_shard_on_a_gpu_has_it_to_itself() -> None:
    assert resources_per_shard(BOOSTING, [2.0]) == {"CPU": 0.6666}
    on_gpu = replace(BOOSTING, parameters={**BOOSTING.parameters, "device": "cuda"})
    assert (BOOSTING.on_gpu, on_gpu.on_gpu) == (False, True)
    assert resources_per_shard(on_gpu, [6.0, 6.0, 6.0]) == {"CPU": 1.0, "GPU": 1.0}


def killing() -> Callable[[int], None]:
    """Return a function that kills a worker once, at the third checkpoint or later.

    The last one it heard of may not have been acknowledged yet, nor the one before it on a busy machine; what
    the workers go on from is an earlier one then.
    """
    killed: list[int] = []

    def kill(rounds: int) -> None:
        if not killed and rounds >= 15:
            workers()[0].kill()
            killed.append(rounds)

    return kill


def workers() -> list[psutil.Process]:
    return saying("RayTrainWorker")


def sockets() -> set[str]:
    """Return where this process's descendants listen, as `ss` says it: address, perhaps device, and port."""
    family = {process.pid for process in descendants()}
    lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    owned = [line for line in lines if family & {int(pid) for pid in re.findall(r"pid=(\d+)", line)}]
    return {line.split()[3] for line in owned}
