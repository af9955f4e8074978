"""One Ray for all tests of a process that can share it: starting one takes longer than most of them."""

from __future__ import annotations

from contextlib import ExitStack

from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.local import local_ray
from acceleray.settings import Settings

WORKERS = 2


class OneRay:
    """Starts Ray when the first test asks for it, with the smallest object store there is."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stack = ExitStack()
        self._running = False

    def fan_out(self, task_timeout_s: int = 1200) -> FanOut:
        """Return a fan-out over two workers, which find modules where this process does."""
        if not self._running:
            ray = {"workers": WORKERS, "object_store_mb": 80}
            settings = {"project": {"name": "tests", "customer": "Tests"}, "ray": ray}
            self._stack.enter_context(local_ray(Settings.model_validate(settings)))
            self._running = True
        return FanOut(WORKERS, task_timeout_s)

    def stop(self) -> None:
        """Stop Ray, if it runs."""
        self._running = False
        self._stack.close()
