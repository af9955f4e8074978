"""This project's own code: its recipes, its tables, its signals. The engine below it is `acceleray`."""

from pathlib import Path

from acceleray.runtime.project import Listed, Modules, Project

_HERE = Path(__file__).parent

PROJECT = Project(
    folder=_HERE,
    workloads=Modules("portfolio.workloads", _HERE / "workloads", "WORKLOAD"),
    tables=Modules("portfolio.tables", _HERE / "tables", "TABLES"),
    signals=Listed("portfolio.signals", "SIGNALS"),
    sources=Listed("portfolio.sources", "SOURCES"),
    gates=Listed("portfolio.gates", "GATES"),
    sections=Listed("portfolio.sections", "SECTIONS"),
)
