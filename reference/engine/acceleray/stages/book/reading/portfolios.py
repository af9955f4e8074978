"""Portfolios as the user knows them: one row each, refused where it is invalid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.cells import names, numbers_of
from acceleray.stages.book.reading.currencies import currency_of
from acceleray.stages.book.reading.mapping import BOOK_FILE, TableMap
from acceleray.stages.book.reading.sheets import Sheet

DECIMAL = "portfolios.decimal in " + BOOK_FILE


@dataclass(frozen=True)
class Portfolio:
    """One portfolio.

    Attributes:
        portfolio_id: its id.
        name: for people; empty where the file has none.
        base_currency: ISO 4217, empty where the file has none.
        nav: net asset value in the base currency, NaN where the file has none.
        benchmark_id: a portfolio or a series, empty for none.
        parent_id: the portfolio that it is a part of, empty for none.
        place: how messages name its row, empty where it is known from positions alone.
    """

    portfolio_id: str
    name: str = ""
    base_currency: str = ""
    nav: float = np.nan
    benchmark_id: str = ""
    parent_id: str = ""
    place: str = ""


def portfolios_of(sheets: Sequence[Sheet], how: TableMap) -> tuple[Portfolio, ...]:
    """Return the portfolios of files, by id.

    Raises:
        PortfolioError: a row has no id or one that is there already, its currency is no code or its NAV no
            number, its parent is not there, or it is its own ancestor.
    """
    with_nav = [(sheet.grid, sheet.roles.at["nav"]) for sheet in sheets if "nav" in sheet.roles.at]
    navs = iter(numbers_of(with_nav, how.decimal, DECIMAL)[0])
    found: dict[str, Portfolio] = {}
    for sheet in sheets:
        grid, at = sheet.grid, sheet.roles.at
        nav = next(navs) if "nav" in at else None
        texts = {role: names(grid, place).to_pylist() for role, place in at.items() if role != "nav"}
        for row in range(len(grid.lines)):
            cells = {role: column[row] for role, column in texts.items()}
            if not any(cells.values()):
                continue
            place = grid.place(row)
            if nav is not None and nav.bad[row]:
                raise PortfolioError(
                    f"{place} has '{nav.texts[row].as_py()}' for nav, which is not a number; correct it."
                )
            one = Portfolio(**cells, nav=float(nav.values[row]) if nav else np.nan, place=place)
            one = _with_currency(one)
            if not one.portfolio_id:
                raise PortfolioError(f"{place} has no portfolio_id; fill it in.")
            if one.portfolio_id in found:
                raise PortfolioError(
                    f"{place} has portfolio {one.portfolio_id} again, after {found[one.portfolio_id].place}; "
                    "keep one."
                )
            found[one.portfolio_id] = one
    _refuse_parents(found)
    return tuple(found[name] for name in sorted(found))


def _with_currency(one: Portfolio) -> Portfolio:
    if not one.base_currency:
        return one
    code, unit = currency_of(one.base_currency)
    if not code or unit != 1.0:
        raise PortfolioError(
            f"{one.place} has base_currency '{one.base_currency}', which is not an ISO 4217 code; write one "
            "such as EUR."
        )
    return Portfolio(**{**one.__dict__, "base_currency": code})


def _refuse_parents(found: Mapping[str, Portfolio]) -> None:
    for name in sorted(found):
        one = found[name]
        if one.parent_id and one.parent_id not in found:
            raise PortfolioError(
                f"{one.place} has parent {one.parent_id} for portfolio {name}, and there is no such "
                "portfolio; add it or leave parent_id empty."
            )
    whole: set[str] = set()
    for name in sorted(found):
        way = [name]
        while (parent := found[way[-1]].parent_id) and parent not in whole:
            if parent in way:
                circle = " in ".join([*way[way.index(parent) :], parent])
                raise PortfolioError(
                    f"{found[parent].place}: portfolio {parent} is its own ancestor ({circle}); correct "
                    "parent_id."
                )
            way.append(parent)
        whole.update(way)


def refuse_benchmarks(portfolios: Sequence[Portfolio], known: set[str]) -> None:
    """Check that each benchmark is a portfolio or a series.

    Raises:
        PortfolioError: one is neither.
    """
    for one in portfolios:
        if one.benchmark_id and one.benchmark_id not in known:
            raise PortfolioError(
                f"{one.place} has benchmark {one.benchmark_id} for portfolio {one.portfolio_id}, which is "
                "neither a portfolio nor a price series; correct benchmark_id."
            )
