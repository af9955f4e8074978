"""Hook of Ray on Spark before it starts nodes: their environment, on Databricks and elsewhere."""

from __future__ import annotations

import os
from typing import Any

# Names, separated by commas, of the variables of this process that Ray's nodes get.
FORWARDED = "PORTFOLIO_RAY_FORWARDED"


def start_hook() -> Any:
    """Return the start hook of Ray on Spark, of the kind that this place needs.

    The variables reach the nodes inside Spark's tasks, with the task: the token is on no command line and in
    no Spark setting.
    """
    from ray.util.spark.databricks_hook import DefaultDatabricksRayOnSparkStartHook
    from ray.util.spark.start_hook_base import RayOnSparkStartHook
    from ray.util.spark.utils import is_in_databricks_runtime

    kind: Any = DefaultDatabricksRayOnSparkStartHook if is_in_databricks_runtime() else RayOnSparkStartHook
    names = os.environ[FORWARDED].split(",")

    class StartHook(kind):
        def custom_environment_variables(self) -> dict[str, str]:
            return {**super().custom_environment_variables(), **{name: os.environ[name] for name in names}}

    return StartHook(is_global=False)
