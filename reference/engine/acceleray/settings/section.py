"""Base of every section of the settings, and shared number types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
ClosedShare = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveInt = Annotated[int, Field(gt=0)]
# Mean return of a day on a simulated path: that of the fit, or none.
Drift = Literal["fitted", "zero"]
# How shocks of a t copula are made: normals and margins computed, or read from tables.
Generator = Literal["standard", "tables"]
JavaMemory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")]


class Section(BaseModel):
    """A group of settings: immutable, and refusing names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
