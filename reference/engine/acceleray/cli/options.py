"""Options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectFolder = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="Project folder; default: this folder or one above it."),
]
Environment = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="Which conf/NAME.yml to use.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting of conf/; may be repeated."),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="local|cluster|databricks|connect", help="Where engines run."),
]
