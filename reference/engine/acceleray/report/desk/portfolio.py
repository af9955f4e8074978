"""Everything the page of one portfolio shows, gathered from its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acceleray.report import change, heading, limits, lineage, risk
from acceleray.report.backtest import HEADLINE_MODEL
from acceleray.report.desk import details, liquidity
from acceleray.report.desk.overview import Line
from acceleray.report.formats import printable
from acceleray.report.naming import INVENTED
from acceleray.report.rows import Read, first, where
from acceleray.settings import Settings
from acceleray.tables import (
    BACKTEST_VERDICTS,
    LIVE_RECORD,
    PORTFOLIOS,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    RUNS,
    STRESS_LOSSES,
    STRESS_SCENARIOS,
)


@dataclass(frozen=True)
class Split:
    """A measure in its price and its currency part; amounts in the base currency."""

    label: str
    horizon_d: int
    value: float
    price: float
    currency: float


@dataclass(frozen=True)
class Report:
    """One portfolio, ready to be drawn and written."""

    heading: heading.Heading
    portfolio_id: str
    line: Line
    row: dict[str, Any]
    parts: tuple[Line, ...]
    horizons: tuple[risk.Horizon, ...]
    split: tuple[Split, ...]
    groupings: tuple[details.Grouping, ...]
    positions: tuple[details.Position, ...]
    active: details.Active | None
    stress: tuple[dict[str, Any], ...]
    liquidity: liquidity.Liquidity | None
    utilisation: limits.Limits
    change: change.Change
    verdict: dict[str, Any] | None
    live: tuple[dict[str, Any], ...]
    # By instrument the commands that lead to the lines of the desk's files.
    holdings: dict[str, tuple[str, ...]]
    commands: tuple[tuple[str, str], ...]
    lineage: lineage.Lineage


def gather(
    rows: Callable[[str], Read],
    settings: Settings,
    line: Line,
    portfolio_id: str,
    within: Sequence[str],
    of: Mapping[str, Line],
) -> Report:
    """Return what the page of a portfolio shows.

    Args:
        rows: gives what reads the rows of one portfolio and of no other.
        settings: confidence levels.
        line: its line of the overview.
        portfolio_id: as the tables name it.
        within: ids of the portfolio and of all in it, whose lines of files make up its positions.
        of: lines of the overview by id.
    """
    read = rows(portfolio_id)
    row = first(read(PORTFOLIOS))
    assert row is not None, portfolio_id
    run, run_id = first(read(RUNS)) or {}, str(row["run_id"])
    horizons = risk.horizons(read, portfolio_id, settings)
    shortest = horizons[0].horizon_d if horizons else 1
    confidence = settings.risk.var_confidence
    command = lineage.command(RISK_MEASURES, run_id, portfolio_id=portfolio_id)
    verdicts = where(read(BACKTEST_VERDICTS), model=HEADLINE_MODEL, confidence=confidence)
    return Report(
        heading=heading.gather(row, run, settings),
        portfolio_id=portfolio_id,
        line=line,
        row=row,
        parts=tuple(one for one in of.values() if one.parent_id == line.portfolio_id),
        horizons=horizons,
        split=_split(read, settings),
        groupings=details.groupings(read, "value_at_risk", confidence, shortest),
        positions=details.positions(
            read, portfolio_id, run_id, "value_at_risk", confidence, shortest, row["origin"] in INVENTED
        ),
        active=details.active(read, settings.risk.es_confidence, shortest),
        stress=_stress(read),
        liquidity=liquidity.gather(read, run_id, portfolio_id),
        utilisation=limits.gather(read),
        change=change.gather(read),
        verdict=first(verdicts),
        live=tuple(
            sorted(
                read(LIVE_RECORD).to_pylist(), key=lambda one: (one["method"], one["confidence"], one["pnl"])
            )
        ),
        holdings=details.lines([rows(name) for name in within], run_id),
        commands=(
            ("Net asset value and exposures", lineage.command(PORTFOLIOS, run_id, portfolio_id=portfolio_id)),
            ("Value at risk and expected shortfall", command),
        ),
        lineage=lineage.gather(read, run, run_id, settings, command),
    )


def _split(read: Read, settings: Settings) -> tuple[Split, ...]:
    levels = {
        "value_at_risk": settings.risk.var_confidence,
        "expected_shortfall": settings.risk.es_confidence,
    }
    found = []
    for measure, confidence in levels.items():
        rows = where(
            read(RISK_CONTRIBUTIONS), method=risk.HEADLINE_METHOD, measure=measure, confidence=confidence
        ).to_pylist()
        for horizon_d in sorted({row["horizon_d"] for row in rows}):
            own = [row for row in rows if row["horizon_d"] == horizon_d]
            if any(row["price_contribution"] is None for row in own):
                continue
            found.append(
                Split(
                    risk.MEASURES[measure],
                    horizon_d,
                    sum(row["contribution"] for row in own),
                    sum(row["price_contribution"] for row in own),
                    sum(row["currency_contribution"] or 0.0 for row in own),
                )
            )
    return tuple(found)


def _stress(read: Read) -> tuple[dict[str, Any], ...]:
    titles = {row["scenario_id"]: printable(row["title"]) for row in read(STRESS_SCENARIOS).to_pylist()}
    rows = read(STRESS_LOSSES).to_pylist()
    rows.sort(key=lambda row: (-row["loss_pct_nav"], row["scenario_id"]))
    return tuple(
        {**row, "title": titles.get(row["scenario_id"], printable(row["scenario_id"]))} for row in rows
    )
