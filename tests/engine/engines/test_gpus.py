"""What is asked for where models are fitted on GPUs; no test here needs one, and none was ever run on one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray.engines.ray import gpus
from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

CUDA = "model.device=cuda"


def test_gpus_are_counted_by_the_files_of_their_driver(tmp_path: Path) -> None:
    assert gpus.visible(tmp_path) == 0
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert gpus.visible(tmp_path) == 3


def test_a_cpu_needs_no_gpu(settings: Callable[..., Settings], tmp_path: Path) -> None:
    assert gpus.problem(settings(), tmp_path) is None
    assert gpus.wanted_here(settings()) == 0
    gpus.refuse_without_gpu(settings())


def test_a_device_that_is_not_there_is_refused_in_one_line(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    line = "model.device is cuda but no GPU is visible; set it to cpu or take a GPU cluster"
    assert gpus.problem(settings(CUDA), tmp_path) == line


@pytest.mark.skipif(gpus.visible() > 0, reason="there is a GPU here")
def test_this_machine_is_refused(settings: Callable[..., Settings]) -> None:
    with pytest.raises(PortfolioError, match="no GPU is visible"):
        gpus.refuse_without_gpu(settings(CUDA))


def test_a_library_without_gpus_is_refused_where_there_is_one(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "nvidia0").touch()
    found = gpus.problem(settings(CUDA), tmp_path)
    assert found is None or "install xgboost instead" in found
    # The GPUs of a cluster elsewhere cannot be seen from here.
    elsewhere = settings(CUDA, "cluster.master=spark://a:7077", "profile=cluster")
    assert "no GPU is visible" not in str(gpus.problem(elsewhere, tmp_path / "none"))


def test_a_fit_has_a_gpu_to_itself_and_as_many_run_as_there_are_gpus() -> None:
    fan_out = FanOut(workers=12, task_timeout_s=9, gpus=2)
    assert (fan_out.workers, fan_out.asks) == (12, {"num_cpus": 1})
    assert fan_out.on("cpu") is fan_out
    assert (fan_out.on("cuda").workers, fan_out.on("cuda").asks) == (2, {"num_cpus": 1, "num_gpus": 1})
    with pytest.raises(PortfolioError, match=r"Ray has no GPU; set it to cpu"):
        FanOut(workers=12, task_timeout_s=9).on("cuda")
