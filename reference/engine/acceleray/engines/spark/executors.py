"""What Spark's executors are like: how many there are, and whether Ray can run inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acceleray.engines.environment_checks import refuse_mismatch, refuse_python_mismatch
from acceleray.engines.processes.signals import text_of
from acceleray.engines.ray.slots import SlotPlan, plan
from acceleray.engines.spark import jvm
from acceleray.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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


def measured_plan(settings: Settings, session: SparkSession) -> SlotPlan:
    """Return the plan for the executors that are there, which need not be those that were asked for.

    Raises:
        PortfolioError: Ray would leave Spark no slot.
    """
    executors = jvm.executors(session)
    return plan(settings, executors, jvm.slots(session) // max(1, executors))
