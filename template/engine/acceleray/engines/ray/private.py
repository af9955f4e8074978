"""The one module that touches what Ray keeps to itself; `engine/docs/first_deployment.md` lists it.

Seen working with Ray 2.60. What is missing in another version is said in one line, where it is first needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from acceleray.errors import PortfolioError

SEEN_IN = "2.60"


def private(module: str, name: str = "") -> Any:
    """Return a private module of Ray's, or something in it.

    Raises:
        PortfolioError: this version of Ray does not have it.
    """
    import ray

    try:
        found = import_module(module)
        return getattr(found, name) if name else found
    except (ImportError, AttributeError):
        raise PortfolioError(
            f"Ray {ray.__version__} has no {module}{'.' if name else ''}{name}, which this engine uses (seen "
            f"in {SEEN_IN}); install engine/requirements.lock."
        ) from None


def reread(loopback: bool) -> None:
    """Make Ray, in this process, take its settings and token from the environment as it is now.

    Ray reads them when it is imported, and keeps the token of an earlier cluster.
    """
    constants = private("ray._private.ray_constants")
    # Where this is true, Ray replaces the loopback address by the machine's own.
    constants.ENABLE_RAY_CLUSTER = not loopback
    # Ray would print its autoscaler's tips to standard output, which is for results.
    constants.AUTOSCALER_EVENTS = 0
    private("ray._raylet", "Config").initialize("")
    private("ray._raylet", "AuthenticationTokenLoader").instance().reset_cache()


def nodes_at(address: str, timeout_s: float) -> int:
    """Return how many nodes the head at an address knows.

    Raises:
        Exception: it does not answer; of what kind is Ray's affair.
    """
    return len(private("ray._raylet", "GcsClient")(address=address).get_all_node_info(timeout=timeout_s))


def answer_from(address: str) -> None:
    """Let every part of Ray that this process starts take an address for the machine's own."""
    private("ray._private.services").get_node_ip_address = lambda given=None: address


def start_of_ray_on_spark() -> Any:
    """Return the module that starts Ray on Spark, whose waiting times `head` changes."""
    return private("ray.util.spark.cluster_init")
