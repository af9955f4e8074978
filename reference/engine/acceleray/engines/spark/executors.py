"""Spark executors: their number, and whether Ray can run inside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acceleray.engines.environment_checks import refuse_mismatch, refuse_python_mismatch
from acceleray.engines.processes.signals import text_of
from acceleray.engines.ray.slots import SlotPlan, plan
from acceleray.engines.spark import jvm
from acceleray.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Databricks states the number of workers of a cluster among the settings of its session; read, not run.
_TARGET = "spark.databricks.clusterUsageTags.clusterTargetWorkers"
PATIENCE_S, _PAUSE_S = 180.0, 1.0


def refuse_unlike_executors(session: SparkSession) -> None:
    """Refuse executors whose Python, Ray or Spark is not this driver's: Ray's nodes there would never join.

    Raises:
        PortfolioError: a version differs.
    """

    # Defined here, so that it travels by value: the executors need not have this package yet.
    def versions(_: Any) -> dict[str, str]:
        import platform
        from importlib.util import find_spec

        found = {"python": platform.python_version(), "ray": "", "pyspark": ""}
        for name in ("ray", "pyspark"):
            if find_spec(name) is not None:
                found[name] = __import__(name).__version__
        return found

    here = versions(None)
    try:
        # The first job waits until the executors are there; then a task for each of their slots.
        there = jvm.on_executors(session, versions, 1)
        there += jvm.on_executors(session, versions, jvm.slots(session))
    except Exception as error:
        refuse_python_mismatch(text_of(error))
        raise
    for one in there:
        refuse_mismatch(here, one)


def awaited(
    wanted: int,
    count: Callable[[], int],
    patience_s: float = PATIENCE_S,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Return how many executors there are once all that are wanted have come, or after so many seconds.

    A cluster that is still growing would be sized too small, and Ray's nodes stay as many as they began.

    Args:
        wanted: how many the cluster is configured to have; 0 where nothing says it.
        count: how many there are now.
        patience_s: what is waited at most.
        pause: waits so many seconds.
    """
    waited = 0.0
    while (found := count()) < wanted and waited < patience_s:
        pause(_PAUSE_S)
        waited += _PAUSE_S
    return found


def configured(session: SparkSession) -> int:
    """Return how many workers a Databricks cluster is configured to have; 0 where it does not say so."""
    text = str(session.conf.get(_TARGET, "") or "")
    return int(text) if text.isdigit() else 0


def measured_plan(settings: Settings, session: SparkSession, wanted: int) -> SlotPlan:
    """Return the plan for the executors that are there, which need not be those that were asked for.

    Args:
        settings: how Ray's nodes are cut.
        session: of Spark.
        wanted: how many executors are waited for.

    Raises:
        PortfolioError: Ray would leave Spark no slot.
    """
    executors = awaited(wanted, lambda: jvm.executors(session))
    return plan(settings, executors, jvm.slots(session) // max(1, executors))
