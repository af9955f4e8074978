"""Everything that is looked at, in the order in which it would stop a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from acceleray.doctor import machine, plan, surroundings
from acceleray.doctor.finding import Finding
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import in_workspace


def examine(read_settings: Callable[[], Settings]) -> Iterator[Finding]:
    """Yield a finding for everything a run needs; `read_settings` may raise PortfolioError."""
    yield machine.python()
    try:
        settings = read_settings()
    except PortfolioError as error:
        yield Finding("missing", "Settings", str(error))
        return
    conf = settings.project_dir / "conf"
    yield Finding("ok", "Settings", f"{conf}, environment {settings.environment}, profile {settings.profile}")
    yield machine.engine()
    yield plan.place(settings)
    yield from machine.libraries(settings)
    if in_workspace(settings):
        yield Finding("ok", "Java and Delta", "the Databricks runtime brings them")
    elif settings.profile == "connect" and settings.spark.remote:
        yield plan.server(settings)
    else:
        yield machine.java_runtime(settings)
        yield machine.delta(settings)
    if settings.model.device != "cpu":
        yield machine.gpu(settings)
    yield machine.state_folder(settings)
    yield machine.run_lock(settings)
    yield machine.disk(settings)
    yield machine.temporary_folder()
    yield surroundings.temporary_folder()
    yield surroundings.cache(settings)
    yield surroundings.processors(settings)
    yield from surroundings.network()
    yield from plan.sharing(settings)
