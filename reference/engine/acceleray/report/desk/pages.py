"""The pages of portfolios, one file each, in a folder next to the page with the overview."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acceleray.report import change, risk_narrative
from acceleray.report.canvas import Drawing
from acceleray.report.desk import details
from acceleray.report.desk.bars import Bar, bars
from acceleray.report.desk.order import file_name, looked_into
from acceleray.report.desk.overview import Line, Overview
from acceleray.report.desk.portfolio import Report, gather
from acceleray.report.desk.rows import ByPortfolio
from acceleray.report.downloads import with_downloads
from acceleray.report.formats import percent
from acceleray.report.rendering import render
from acceleray.report.rows import Reads
from acceleray.settings import Settings
from acceleray.tables import PORTFOLIOS

SECTIONS = (
    ("headline", "Risk"),
    ("positions", "Positions"),
    ("groups", "Groups"),
    ("active", "Against the benchmark"),
    ("stress", "Stress"),
    ("liquidity", "Liquidity"),
    ("limits", "Limits"),
    ("change", "Change"),
    ("backtest", "Backtest and live record"),
    ("lineage", "Lineage"),
)
# Bars that one figure has, and lines of the desk's files that one position names.
MOST_BARS, MOST_LINES = 15, 5


def pages(read: Reads, settings: Settings, overview: Overview, main: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each file, and its page.

    Args:
        read: gives the rows of the run.
        settings: confidence levels.
        overview: of the same run.
        main: name of the file with the overview.
    """
    portfolios = read(PORTFOLIOS).to_pylist()
    portfolios.sort(key=lambda row: (row["place"] is None, row["place"] or 0, row["portfolio_id"]))
    wanted, of = looked_into(portfolios), {line.portfolio_id: line for line in overview.lines}
    within = _within({row["portfolio_id"]: row["parent_id"] or "" for row in portfolios})
    rows, with_rows = ByPortfolio(read, wanted), set(wanted)
    ids = {line.place: row["portfolio_id"] for line, row in _paired(overview, portfolios)}
    for line in overview.lines:
        name = ids[line.place]
        if not line.page or name not in with_rows:
            continue
        parts = [part for part in within[name] if part in with_rows]
        report = gather(rows.of, settings, line, name, parts, of)
        yield file_name(name), page(report, settings, of, main, len(within[name]) - len(parts))


def page(report: Report, settings: Settings, of: dict[str, Line], main: str, left_out: int = 0) -> str:
    """Return the page of one portfolio as HTML; `left_out` parts of it have no page and no lines of files."""
    horizon_d = report.horizons[0].horizon_d if report.horizons else 1
    markup = render(
        "portfolio.html.j2",
        report=report,
        sections=SECTIONS,
        summary=summary(report),
        own_sections=(),
        back=f"../{main}",
        parent=of.get(report.line.parent_id),
        beside=lambda line: line.page.rpartition("/")[2],
        confidence=settings.risk.var_confidence,
        horizon_d=horizon_d,
        shown=details.SHOWN,
        lines=MOST_LINES,
        old_closes=details.old_closes(report.positions),
        left_out=left_out,
        positions_figure=_contributions(
            [(one.instrument, one.component) for one in report.positions if one.component is not None]
        ),
        group_figures=[
            _contributions([(group.name, group.contribution) for group in one.groups])
            if len(one.groups) > 2
            else None
            for one in report.groupings
        ],
        risk_narrative=risk_narrative,
        signed=change.signed,
        sorting=True,
    )
    return with_downloads(markup, Path(file_name(report.portfolio_id)).stem)


def summary(report: Report) -> list[str]:
    """Return the page in a few sentences."""
    said = []
    line = report.line
    if line.var is not None and report.horizons:
        said.append(
            f"Value at risk is {percent(line.var.pct_nav)} of NAV, expected shortfall over the longest"
        )
        said.append(f"horizon {percent(line.es.pct_nav) if line.es else 'n/a'}.")
    several = [one for one in report.groupings if len(one.groups) > 1 and one.standalone > 0.0]
    if several:
        one = several[0]
        share = percent(100.0 * one.benefit / one.standalone, 0)
        by = "part" if one.by == "portfolio" else one.by
        said.append(f"Diversification between its {len(one.groups)} groups by {by} saves {share}.")
    if line.stress is not None:
        said.append(f"Its worst stress scenario, \u201c{line.stress.title}\u201d, costs")
        said.append(f"{percent(line.stress.pct_nav, 1)} of NAV.")
    if line.used is not None and line.used.state == "red":
        said.append("A limit is breached.")
    said.append(f"Backtest: {line.backtest}.")
    return said


def _contributions(parts: list[tuple[str, float]]) -> Drawing | None:
    whole = sum(part for _, part in parts)
    largest = sorted(parts, key=lambda one: (-abs(one[1]), one[0]))[:MOST_BARS]
    if len(largest) < 2 or not whole:
        return None
    largest.sort(key=lambda one: (-one[1], one[0]))
    return bars(
        [Bar(name, 100 * part / whole, percent(100 * part / whole, 1)) for name, part in largest], "%"
    )


def _paired(overview: Overview, portfolios: list[dict[str, Any]]) -> list[tuple[Line, dict[str, Any]]]:
    return [(line, portfolios[line.place]) for line in overview.lines]


def _within(parents: dict[str, str]) -> dict[str, list[str]]:
    """Return the ids of each portfolio and of all in it."""
    found: dict[str, list[str]] = {name: [name] for name in parents}
    for name in parents:
        above, seen = parents[name], {name}
        while above in parents and above not in seen:
            found[above].append(name)
            seen.add(above)
            above = parents[above]
    return found
