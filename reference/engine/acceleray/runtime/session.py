"""A workload's session: lock, engines and evidence, in a block or across a notebook's cells."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.upkeep import needs_upkeep, upkeep
from acceleray.engines.environment_checks import refuse_unsupported_environment
from acceleray.engines.handoff.stage import sweep_stages
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.processes.signals import first_line
from acceleray.engines.profiles import engines
from acceleray.engines.ray.gpus import refuse_without_gpu
from acceleray.governance.tracking import tracked_run
from acceleray.runtime.meanwhile import Meanwhile
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED, Project
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.tables import KEPT_WORK

if TYPE_CHECKING:
    from acceleray.runtime.workload import Workload

_STARTING = {
    "local": "Start MLflow, Spark and Ray",
    "cluster": "Start MLflow, Spark on its cluster and Ray inside it",
    "connect": "Start MLflow, Spark Connect and Ray",
    "databricks": "Start MLflow and Ray inside Spark",
}


@contextmanager
def session(
    workload: Workload, settings: Settings, reporter: Reporter, project: Project = NOTHING_ADDED
) -> Iterator[Run]:
    """Yield a workload's run, under the lock of its folder; whatever happens, engines and lock are let go.

    The run's tables are tidied at the end, where they need it. In MLflow the run ends as finished; as failed
    if the block raises, as killed if it is interrupted.

    Raises:
        PortfolioError: the profile is not available here, the project adds what cannot be used, or anything
            else the user can put right.
    """
    settings = settings if workload.fits else settings.on_cpu()
    workload.check(settings)
    project.refuse_unusable(settings)
    reporter.say(f"{workload.title}, as of {settings.as_of or 'the last price'}")
    # Before MLflow, which would complain about credentials where there is only the wrong profile.
    refuse_unsupported_environment(settings.profile)
    refuse_without_gpu(settings)
    with run_lock(settings.machine_dir), project.importable(), ExitStack() as stack:
        sweep_stages(settings)
        with reporter.stage(_STARTING[settings.profile]):
            # MLflow computes while Java and Ray's processes are waited for.
            tracked = stack.enter_context(Meanwhile(tracked_run(settings, workload.name)))
            spark, fan_out = stack.enter_context(engines(settings))
            tracker = tracked()
        lake = Lake(spark, settings, lambda line: reporter.say(f"    {line}"))
        run = Run(settings, lake, fan_out, tracker, reporter, workload.name, project)
        try:
            yield run
        finally:
            run.kept.wait()
        _keep_up(run)


class OpenSession:
    """A session that stays open from cell to cell.

    It closes with `close`, and by itself as soon as a cell or the script raises, when another one is opened
    in the same process, and when the process ends. One process has at most one.
    """

    def __init__(self, opened: AbstractContextManager[Run]) -> None:
        """Enter the block of `session`; use `open_session` instead."""
        self._block = opened
        self.run = opened.__enter__()
        self._hooks = ExitStack()
        self._hooks.enter_context(_watched(self._end))

    @property
    def closed(self) -> bool:
        """Return whether engines and lock have been let go."""
        return _open[:1] != [self]

    def close(self) -> None:
        """Tidy tables, end the MLflow run as finished, stop Ray and Spark, free the lock; once is enough."""
        if not self.closed:
            self._leave(None, None, None)

    def _end(self, error: BaseException) -> None:
        """End the session because of an error, which is the caller's to report."""
        if not self.closed:
            # The raised error is the original one, or says that something was gone already.
            with suppress(BaseException):
                self._leave(type(error), error, error.__traceback__)

    def _leave(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _open.clear()
        self._hooks.close()
        self._block.__exit__(kind, error, trace)


# Lock, Spark and Ray are the process's: the first cell finds here what it opened when it ran before.
_open: list[OpenSession] = []


def open_session(
    workload: Workload, settings: Settings, project: Project = NOTHING_ADDED, reporter: Reporter | None = None
) -> OpenSession:
    """Open a workload's session for a notebook or script; one that is still open is closed, as killed.

    Raises:
        PortfolioError: as `session` does.
    """
    close_open(KeyboardInterrupt("the first cell ran again"))
    opened = OpenSession(session(workload, settings, reporter or Reporter(), project))
    _open[:] = [opened]
    return opened


def close_open(error: BaseException) -> None:
    """End the session that is open in this process, if one is, because of an error."""
    for one in list(_open):
        one._end(error)


@contextmanager
def _watched(end: Callable[[BaseException], None]) -> Iterator[None]:
    """Call `end` with whatever a cell or the script raises, or when the process ends, within the block."""
    with ExitStack() as stack:
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is not None:
            # A notebook reports a cell's error itself, and goes on: no exception hook would be called.
            def ran(result: Any) -> None:
                if error := result.error_in_exec or result.error_before_exec:
                    end(error)

            shell.events.register("post_run_cell", ran)
            stack.callback(shell.events.unregister, "post_run_cell", ran)

        before = sys.excepthook

        def raised(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            # An error of Spark asks Java for its message: it is printed while Java is there.
            try:
                before(kind, error, trace)
            finally:
                end(error)

        def left() -> None:
            end(SystemExit("the process ended"))

        # Neither a call of sys.exit nor a last cell that was not run is an exception that a hook would see.
        atexit.register(left)
        stack.callback(atexit.unregister, left)
        sys.excepthook = raised

        def restore() -> None:
            if sys.excepthook is raised:
                sys.excepthook = before

        stack.callback(restore)
        yield


def _keep_up(run: Run) -> None:
    """Tidy the tables that this run changed, where they need it; most runs find nothing to do."""
    changed = {t.table.label: t.table for t in run.touches if t.direction == "wrote" and t.changed}
    try:
        if run.lake.exists(KEPT_WORK):
            changed[KEPT_WORK.label] = KEPT_WORK
        worn = [table for table in changed.values() if needs_upkeep(run.lake, table)]
        if worn:
            with run.reporter.stage("Compact tables with many files"):
                for table in worn:
                    upkeep(run.lake, table)
    except Exception as error:
        # The run's results are committed; that tables could not be tidied must not make them a failure.
        run.reporter.say(f"    tables were not compacted: {first_line(error)}")
