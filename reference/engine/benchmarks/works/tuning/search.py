"""The product's search on Ray: proposals by number, trials in processes that are used again."""

from __future__ import annotations

from acceleray.engines.ray.proposals import Search
from acceleray.engines.ray.steps import Code
from acceleray.engines.ray.tuning import search
from acceleray.stages.tune.selection import best_trial
from acceleray.stages.tune.trial import prepare, trial
from arena.opened import RaySide
from arena.side import Answer
from works.tuning.problem import answer, plan, read


class Ray(RaySide):
    """The search of the workload, without its records."""

    def run(self) -> Answer:
        """Search, and return the best."""
        folder, size = self.setting.folder, self.setting.size
        found = best_trial(
            search(
                Code(prepare, trial),
                (read(folder, size),),
                Search(plan(size)),
                folder / "out" / "_ray",
                self.fan_out.workers,
                self.setting.settings.ray.task_timeout_s,
                {},
                lambda one: None,
            )
        )
        assert found is not None
        assert found.best is not None
        return answer(found.best.value)
