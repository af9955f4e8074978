"""How forecasts of risk are tested against what happened."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from acceleray.settings.section import Section, Share


class Backtest(Section):
    """Out-of-sample VaR and ES backtest of portfolios, on the schedule of the calibration.

    Portfolios are `all` up to a hundred, of more those without a parent, or the ones named. One is tested on
    days on which at least `minimum_covered_share` of its gross weight had a calibration.

    The first forecast has at least `minimum_history_d` days before it. All models look back at
    `simulation.residual_window_d`, and at each of `windows_d` to show what the window does. The tests of the
    gate share `level`; the rate of exceptions must be able to lie within `rate_tolerance` times the expected
    one; `null_records` records of a right model are simulated for their laws. Longer horizons are tested on
    windows that do not overlap, from `long_horizon_offsets` first days.
    """

    portfolios: Literal["all"] | tuple[str, ...] = "all"
    minimum_covered_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    minimum_history_d: Annotated[int, Field(ge=101)] = 500
    windows_d: Annotated[tuple[Annotated[int, Field(ge=100)], ...], Field(max_length=6)] = (500, 1000, 2000)
    level: Share = 0.05
    rate_tolerance: tuple[Annotated[float, Field(gt=0.0, le=1.0)], Annotated[float, Field(ge=1.0)]] = (
        0.8,
        1.25,
    )
    long_horizon_offsets: Annotated[int, Field(ge=1)] = 1
    null_records: Annotated[int, Field(ge=200, le=100_000)] = 1_000
