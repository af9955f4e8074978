"""The overview: every portfolio in one line, in the order of the book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.report import change, limits
from acceleray.report.backtest import HEADLINE_MODEL
from acceleray.report.backtest_narrative import JUDGED_DAYS
from acceleray.report.desk import left_out
from acceleray.report.desk.left_out import LeftOut
from acceleray.report.desk.order import depths, looked_into, shown
from acceleray.report.formats import printable
from acceleray.report.risk import HEADLINE_METHOD
from acceleray.report.rows import Reads, narrowed, where
from acceleray.settings import Settings
from acceleray.tables import (
    BACKTEST_VERDICTS,
    LIMIT_UTILISATION,
    PORTFOLIOS,
    RISK_CHANGE,
    RISK_MEASURES,
    STRESS_LOSSES,
    STRESS_SCENARIOS,
)

NOT_BACKTESTED = "not backtested"


@dataclass(frozen=True)
class Loss:
    """A loss in the portfolio's base currency and in % of its NAV; title names a stress scenario."""

    value: float
    pct_nav: float
    title: str = ""


@dataclass(frozen=True)
class Used:
    """The limit of a portfolio that is used most, by its state first, and how many could not be evaluated."""

    state: str
    pct: float | None
    not_evaluated: int

    @property
    def pill(self) -> str:
        """Return the class of the mark that shows the state."""
        return limits.PILLS.get(self.state, "plain")


@dataclass(frozen=True)
class Line:
    """One portfolio; None where the run did not compute it."""

    place: int
    depth: int
    portfolio_id: str
    name: str
    origin: str
    parent_id: str
    nav: float
    currency: str
    gross_pct: float | None
    net_pct: float | None
    var: Loss | None
    es: Loss | None
    var_change_pct: float | None
    stress: Loss | None
    used: Used | None
    backtest: str
    left_out: LeftOut
    # Page of the portfolio, relative to the one with the overview; empty if it has none.
    page: str = ""

    @property
    def backtest_pill(self) -> str:
        """Return the class of the mark that shows the verdict."""
        return {"passed": "passed", "failed": "failed"}.get(self.verdict, "missing")

    @property
    def verdict(self) -> str:
        """Return the backtest's verdict without its zone."""
        return self.backtest.partition(", ")[0]

    @property
    def zone(self) -> str:
        """Return the Basel zone, empty where there is none."""
        return self.backtest.partition(", ")[2]


@dataclass(frozen=True)
class Overview:
    """All portfolios of a run; `lines` are those shown, parents before their parts."""

    lines: tuple[Line, ...]
    portfolios: int
    var_confidence: float
    es_confidence: float
    var_horizon_d: int
    es_horizon_d: int
    stressed: bool
    limited: bool
    compared: bool
    # Positions outside the risk, of all portfolios, not only of those shown.
    missing: str
    proxies: str

    @property
    def more(self) -> int:
        """Return how many portfolios are not shown."""
        return self.portfolios - len(self.lines)


def gather(
    read: Reads, settings: Settings, address: Callable[[str], str] = lambda portfolio_id: ""
) -> Overview:
    """Return the overview of the run whose rows `read` gives.

    `address` names the page of a portfolio that is looked into.
    """
    risk = settings.risk
    portfolios = read(PORTFOLIOS).to_pylist()
    portfolios.sort(key=lambda row: (row["place"] is None, row["place"] or 0, row["portfolio_id"]))
    var_d, var = _measures(read, "value_at_risk", risk.var_confidence, min)
    es_d, shortfall = _measures(read, "expected_shortfall", risk.es_confidence, max)
    changes = _changes(read, risk.var_confidence, var_d)
    stress, used, verdicts = _worst(read), _used(read), _verdicts(read, risk.var_confidence)
    missing = left_out.gather(read, portfolios)
    depth, pages = depths(portfolios), set(looked_into(portfolios))
    names = [row["portfolio_id"] for row in portfolios]
    kept = shown(portfolios, {name: each.pct_nav for name, each in var.items()})
    lines = tuple(
        Line(
            place=place,
            depth=depth[name],
            portfolio_id=printable(name),
            name=printable(row["name"]),
            origin=printable(row["origin"]),
            parent_id=printable(row["parent_id"] or ""),
            nav=row["nav"],
            currency=printable(row["currency"]),
            gross_pct=row["gross_exposure_pct_nav"],
            net_pct=row["net_exposure_pct_nav"],
            var=var.get(name),
            es=shortfall.get(name),
            var_change_pct=changes.get(name),
            stress=stress.get(name),
            used=used.get(name),
            backtest=verdicts.get(name, NOT_BACKTESTED),
            left_out=missing[name],
            page=address(name) if name in pages else "",
        )
        for place, (name, row) in enumerate(zip(names, portfolios, strict=True))
        if name in kept
    )
    said = {printable(name): each for name, each in missing.items()}
    return Overview(
        lines=lines,
        portfolios=len(portfolios),
        var_confidence=risk.var_confidence,
        es_confidence=risk.es_confidence,
        var_horizon_d=var_d,
        es_horizon_d=es_d,
        stressed=bool(stress),
        limited=bool(used),
        compared=any(each is not None for each in changes.values()),
        missing=left_out.sentence(said),
        proxies=left_out.proxies(said),
    )


def _measures(
    read: Reads, measure: str, confidence: float, which: Callable[..., int]
) -> tuple[int, dict[str, Loss]]:
    """Return one measure of every portfolio at the shortest or longest horizon, and that horizon."""
    columns = ("portfolio_id", "method", "measure", "confidence", "horizon_d", "value", "value_pct_nav")
    rows = where(
        read(narrowed(RISK_MEASURES, *columns)),
        method=HEADLINE_METHOD,
        measure=measure,
        confidence=confidence,
    )
    if not rows.num_rows:
        return 1, {}
    horizon_d = which(rows["horizon_d"].to_pylist())
    rows = where(rows, horizon_d=horizon_d)
    return horizon_d, {
        name: Loss(value, pct)
        for name, value, pct in zip(
            *(rows[column].to_pylist() for column in ("portfolio_id", "value", "value_pct_nav")), strict=True
        )
    }


def _changes(read: Reads, confidence: float, horizon_d: int) -> dict[str, float | None]:
    rows = where(
        read(RISK_CHANGE), measure="value_at_risk", confidence=confidence, horizon_d=horizon_d
    ).to_pylist()
    return {row["portfolio_id"]: row["change_pct_nav"] for row in rows}


def _worst(read: Reads) -> dict[str, Loss]:
    """Return the largest loss of each portfolio in any stress scenario; a gain is negative."""
    rows = read(narrowed(STRESS_LOSSES, "scenario_id", "portfolio_id", "loss", "loss_pct_nav"))
    if not rows.num_rows:
        return {}
    order = [("portfolio_id", "ascending"), ("loss_pct_nav", "descending"), ("scenario_id", "ascending")]
    rows = rows.sort_by(order)
    names = rows["portfolio_id"].to_numpy(zero_copy_only=False)
    firsts = np.flatnonzero(np.concatenate(([True], names[1:] != names[:-1])))
    titles = {
        row["scenario_id"]: printable(row["title"])
        for row in read(narrowed(STRESS_SCENARIOS, "scenario_id", "title")).to_pylist()
    }
    return {
        row["portfolio_id"]: Loss(
            row["loss"], row["loss_pct_nav"], titles.get(row["scenario_id"], printable(row["scenario_id"]))
        )
        for row in rows.take(pa.array(firsts)).to_pylist()
    }


def _used(read: Reads) -> dict[str, Used]:
    of: dict[str, list[dict[str, Any]]] = {}
    columns = ("portfolio_id", "limit_id", "state", "utilisation_pct")
    for row in read(narrowed(LIMIT_UTILISATION, *columns)).to_pylist():
        of.setdefault(row["portfolio_id"], []).append(row)
    found = {}
    for name, rows in of.items():
        # A limit nobody could evaluate is counted: it is neither kept nor breached.
        known = [row for row in rows if row["state"] != "not evaluated"]
        worst = min(
            known or rows,
            key=lambda row: (
                limits.ORDER.index(row["state"]) if row["state"] in limits.ORDER else 0,
                -(row["utilisation_pct"] or 0.0),
                row["limit_id"],
            ),
        )
        found[name] = Used(printable(worst["state"]), worst["utilisation_pct"], len(rows) - len(known))
    return found


def _verdicts(read: Reads, confidence: float) -> dict[str, str]:
    columns = ("portfolio_id", "model", "confidence", "days", "passed", "basel_zone")
    rows = where(read(narrowed(BACKTEST_VERDICTS, *columns)), model=HEADLINE_MODEL, confidence=confidence)
    found = {}
    for row in rows.to_pylist():
        if row["days"] < JUDGED_DAYS:
            found[row["portfolio_id"]] = "too few days"
            continue
        verdict = "passed" if row["passed"] else "failed"
        found[row["portfolio_id"]] = f"{verdict}, {printable(row['basel_zone'])} zone"
    return found


def signed(value: float | None) -> str:
    """Return a number of percentage points with its sign, as the section on changes writes it."""
    return change.signed(value)
