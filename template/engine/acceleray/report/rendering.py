"""Templates poured into HTML, and files written in one step."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from acceleray.report import formats
from acceleray.whole_files import put_in_place

_FILTERS = (
    "amount",
    "confidence",
    "count",
    "days",
    "half_life",
    "long_date",
    "number",
    "p_value",
    "percent",
    "plural",
    "printable",
    "share",
    "shortened",
    "significant",
)


def render(template: str, **context: Any) -> str:
    """Return the page that `template` makes of `context`; the same context gives the same bytes."""
    # The style sheet and the script are ours and are not escaped; everything else on the page is.
    script = _resource("sort.js")
    # The page allows this script by its digest and no other: what a name smuggles in does not run.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode("ascii")
    ours = {
        "css": Markup(_resource("page.css")),
        "script": Markup(script),
        "script_hash": Markup(f"sha256-{digest}"),
    }
    return _environment().get_template(template).render(**(ours | context))


@cache
def _environment() -> Environment:
    """Return what compiles each template once, whatever pages need it."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The result of a filter on a constant depends on the page, so it is not precomputed.
        optimized=False,
    )
    for name in _FILTERS:
        environment.filters[name] = getattr(formats, name)
    return environment


def save(page: str, path: Path) -> Path:
    """Write a page to `path`, replacing an older file there in one step, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(page, encoding="utf-8", newline="\n")
        put_in_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _template(name: str) -> tuple[str, str, None]:
    # The second is what a traceback calls it.
    return _resource(name), f"templates/{name}", None


def _resource(name: str) -> str:
    return files("acceleray.report").joinpath("templates", name).read_text(encoding="utf-8")
