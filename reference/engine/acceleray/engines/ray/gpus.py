"""The GPUs of this machine, and the refusal where the signal model is to be fitted on one and cannot be.

XGBoost itself would only warn and go on with the CPU: no faster, on a machine that costs more.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# Where NVIDIA's driver shows each GPU as a file: nvidia0, nvidia1, ...
DEVICES = Path("/dev")
_PREFIX = "nvidia"


def visible(folder: Path = DEVICES) -> int:
    """Return how many GPUs this machine shows."""
    return sum(path.name.removeprefix(_PREFIX).isdigit() for path in folder.glob(f"{_PREFIX}*"))


def wanted_here(settings: Settings) -> int:
    """Return how many GPUs Ray has on this machine alone: all where models are fitted on them, else none."""
    return visible() if settings.model.device == "cuda" else 0


def problem(settings: Settings, folder: Path = DEVICES) -> str | None:
    """Return why models cannot be fitted on `model.device`, or None.

    A remote Spark cluster has other GPUs, which Ray asks for when its nodes start.
    """
    if settings.model.device == "cpu":
        return None
    elsewhere = settings.profile == "cluster" and settings.cluster.master
    if not elsewhere and not visible(folder):
        return "model.device is cuda but no GPU is visible; set it to cpu or take a GPU cluster"
    if _installed("xgboost-cpu"):
        return "model.device is cuda but xgboost-cpu is installed; install xgboost instead"
    return None


def refuse_without_gpu(settings: Settings) -> None:
    """Refuse to fit on a GPU that is not there.

    Raises:
        PortfolioError: `model.device` is cuda, and `problem` says why that cannot be.
    """
    if found := problem(settings):
        raise PortfolioError(f"{found}.")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
