"""Where the desk's limits are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from acceleray.settings.section import Section

DEFAULT = "limits.yml"


class Limits(Section):
    """The file in conf/ with the desk's limits; a project without a `limits.yml` watches none."""

    definitions: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.yml$")] = DEFAULT
