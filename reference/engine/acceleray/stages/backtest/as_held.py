"""The backtest of what was held: on each day the positions of that day, where they have a history.

Beside that of today's positions on past days, and without a part in the gate: a history of positions is
mostly short, and what was held then need not be what is held now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.backtest import verdict
from acceleray.quant.shortfall_tests import acerbi_szekely_z2
from acceleray.settings import Risk
from acceleray.stages.backtest.blocks import Block, BlockForecasts, forecast_block
from acceleray.stages.backtest.gate import MINIMUM_DAYS
from acceleray.stages.backtest.history import Blocks
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.backtest.records import Record, records_of
from acceleray.stages.backtest.rows import typed
from acceleray.stages.book.dated import Dated
from acceleray.tables import BACKTEST_AS_HELD

Task = tuple[Block, Positions]


@dataclass(frozen=True)
class HeldThen:
    """Days from row `first` to `last - 1`, within one block, on which the same positions were held."""

    block: int
    dated: int
    first: int
    last: int


def held_then(
    dated: Sequence[Dated], spans: Sequence[tuple[int, int]], returns: Panel
) -> tuple[HeldThen, ...]:
    """Return the stretches of out-of-sample days with the same positions and the same fits.

    Positions of a date are those at its close: they earn from the next risk day on.
    """
    days = np.array([each.day for each in dated], dtype="datetime64[D]")
    begins = [*np.searchsorted(returns.dates, days, side="right").tolist(), len(returns.dates)]
    found = []
    for block, (first, last) in enumerate(spans):
        for place in range(len(dated)):
            begin, end = max(first, begins[place]), min(last, begins[place + 1])
            if begin < end:
                found.append(HeldThen(block, place, begin, end))
    return tuple(found)


class Stretches:
    """Tasks of a fan-out, each made when it is asked for; in order, as blocks are read in order."""

    def __init__(
        self,
        stretches: Sequence[HeldThen],
        blocks: Blocks,
        dated: Sequence[Dated],
        portfolios: Sequence[str],
        least_covered: float,
    ) -> None:
        """Keep what tasks are made of."""
        self._stretches, self._blocks, self._dated = stretches, blocks, dated
        self._portfolios, self._least_covered = portfolios, least_covered

    def __len__(self) -> int:
        """Return the number of stretches."""
        return len(self._stretches)

    def __getitem__(self, number: int) -> Task:
        """Return a block of the stretch alone, and what was held."""
        each = self._stretches[number]
        fits = self._blocks[each.block].fits
        held = positions_of(self._dated[each.dated], self._portfolios, self._least_covered)
        return Block(each.first, each.last, fits), held


def positions_of(dated: Dated, portfolios: Sequence[str], least_covered: float) -> Positions:
    """Return what portfolios held on a date; one that there was not then held nothing."""
    places = {name: place for place, name in enumerate(dated.portfolios)}
    weights = np.zeros((len(portfolios), len(dated.lines)))
    for row, name in enumerate(portfolios):
        if name in places:
            weights[row] = dated.weights[places[name]]
    return Positions(dated.lines, weights, np.zeros(len(portfolios), dtype=np.bool_), least_covered)


def forecast_held(task: Task, returns: Any, span_d: Any, **terms: Any) -> BlockForecasts:
    """Return what was forecast for the days of a stretch, and what happened; see `forecast_block`."""
    block, positions = task
    return forecast_block(block, returns, span_d, positions, compared=False, **terms)


def as_held(
    portfolios: Sequence[str],
    results: Sequence[BlockForecasts],
    stretches: Sequence[HeldThen],
    returns: Panel,
) -> list[Record]:
    """Return the record of the calibrated model by each portfolio, those without two days left out."""
    spans = [(each.first, each.last) for each in stretches]
    days = [returns.day(row) for first, last in spans for row in range(first, last)]
    records = records_of(portfolios, results, spans, days, 1)
    return [each.calibrated for each in records if len(each.days) > 1]


def rows(records: Sequence[Record], risk: Risk) -> pa.Table:
    """Return gold.backtest_as_held."""
    found = []
    for record in records:
        var, threshold, shortfall = record.forecasts[0, 0]
        each = verdict(record.losses > var, risk.var_confidence)
        found.append(
            {
                "portfolio_id": record.portfolio_id,
                "model": record.models[0],
                "confidence": risk.var_confidence,
                "first_date": record.days[0],
                "last_date": record.days[-1],
                "days": each.days,
                "exceptions": each.exceptions,
                "expected_exceptions": each.expected,
                "kupiec_p": each.kupiec.p_value,
                "basel_zone": each.recent_zone if each.days >= MINIMUM_DAYS else None,
                "z2": acerbi_szekely_z2(record.losses, threshold, shortfall, risk.es_confidence),
                "covered_pct_gross": 100.0 * float(record.covered.min()),
            }
        )
    return typed(BACKTEST_AS_HELD, found)


def told(table: pa.Table) -> str:
    """Return one line: how the positions of each day have done in all portfolios together, worst first."""
    every = sorted(table.to_pylist(), key=lambda row: (row["kupiec_p"], row["portfolio_id"]))
    worst = every[0]
    exceptions = f"{worst['exceptions']} exception{'' if worst['exceptions'] == 1 else 's'}"
    days = f"{worst['days']} day{'' if worst['days'] == 1 else 's'}"
    return (
        f"as held since {min(row['first_date'] for row in every)}, {counted(len(every), 'portfolio')}: "
        f"{worst['portfolio_id']} has {exceptions} in {days}, "
        f"{worst['expected_exceptions']:.1f} expected (p {worst['kupiec_p']:.2g}), the smallest p of all"
    )
