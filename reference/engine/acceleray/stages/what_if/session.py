"""A session for questions: scenarios are made once, stay in memory, and are asked again and again.

    with risk_session(settings) as risk:
        print(risk.what_if({"AAPL": -10_000}, hedges=["XOM", "WMT"]))

Nothing is written. Which run is asked about, how many scenarios are kept and what memory they take is said
when the session opens.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np

from acceleray.engines.delta.reader import reader
from acceleray.engines.profiles import ray_of_profile
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.resident import store_mb
from acceleray.engines.ray.slots import available_mb
from acceleray.errors import PortfolioError
from acceleray.quant.line_returns import Parts, losses_before
from acceleray.quant.what_if import Levels
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings
from acceleray.settings.topology import ray_beside
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate.scenario_inputs import World, build_world
from acceleray.stages.what_if.answer import Answer
from acceleray.stages.what_if.base import (
    Base,
    calibration_of,
    desk_of,
    newest_base,
    portfolio_of,
    refuse_other_numbers,
)
from acceleray.stages.what_if.blocks import RayBlocks, Room, block_count, room
from acceleray.stages.what_if.drawn import Kept, Resident
from acceleray.stages.what_if.enumerated import Outcomes, one_day
from acceleray.stages.what_if.facts import Exposed, Limits, LimitState, Traded
from acceleray.stages.what_if.found import Found, Question
from acceleray.stages.what_if.portfolio import Portfolio, Tradable, unit_of
from acceleray.stages.what_if.trades import (
    AMOUNT,
    QUANTITY,
    WEIGHT,
    Trade,
    known,
    refuse_too_many,
    trades_of,
)

# Of this machine's free memory, where `what_if.memory_mb` does not say how much.
_SHARE_OF_FREE = 0.4
# Of the object store of a Ray that runs already: the rest is for arguments and results of tasks.
_SHARE_OF_STORE = 0.7
# Free memory where the system does not tell.
_UNKNOWN_MB = 4096
# Other contents of the Ray object store: arguments and results of tasks.
_BESIDE_MB = 256
# Where the run simulated one day alone.
_USUAL_HORIZON_D = 10


class RiskSession:
    """Tables of a run, and its scenarios in memory; made by `risk_session`."""

    def __init__(
        self,
        base: Base,
        portfolio: Portfolio,
        desk: Mapping[str, Tradable],
        outcomes: Outcomes,
        resident: Resident,
        kept: Room,
        limits: Limits | None,
    ) -> None:
        """Keep everything, and the losses of the portfolio with the scenarios."""
        self.base, self.portfolio, self.room = base, portfolio, kept
        self._desk, self._outcomes, self._resident, self._limits = desk, outcomes, resident, limits
        self._kept: Kept = resident.keep(portfolio.weights, portfolio.more)

    def what_if(
        self,
        quantities: Mapping[str, float] | None = None,
        *,
        amounts: Mapping[str, float] | None = None,
        weights: Mapping[str, float] | None = None,
        hedges: Sequence[str] = (),
    ) -> Answer:
        """Return what trades do to the portfolio, and the best amount of each candidate for a hedge.

        Args:
            quantities: units bought, by instrument; a sale is negative.
            amounts: the same as money in the portfolio's base currency.
            weights: the same as shares of its NAV.
            hedges: instruments of which the best amount is looked for, each on top of the trades alone.

        Raises:
            PortfolioError: an instrument is not there or has no price, or there are too many.
        """
        return self.ask(trades_of(quantities, amounts, weights), hedges)

    def ask(self, trades: Sequence[Trade], hedges: Sequence[str] = ()) -> Answer:
        """Return the answer to trades that have been read already; see `what_if`."""
        began = time.perf_counter()
        of = self.base.settings.what_if
        refuse_too_many(len(trades), of.maximum_trades, "trades")
        refuse_too_many(len(hedges), of.maximum_hedges, "hedges")
        if not trades and not hedges:
            raise PortfolioError("The question is empty: give at least one trade or one hedge.")
        traded = tuple(self._traded(each) for each in trades)
        asked, names = self._question(traded, hedges)
        own = self.portfolio
        long, short = self._resident.answer(
            self._kept, asked, lambda: one_day(self._outcomes, own.weights, own.more, asked)
        )
        horizons = (short, long)
        limits = tuple(self._limited(horizons, asked, after) for after in (False, True))
        return Answer(
            run_id=self.base.run_id,
            as_of=self.base.as_of,
            portfolio_id=own.portfolio_id,
            nav=own.nav,
            currency=own.currency,
            confidence=(self._outcomes.levels.value_at_risk, self._outcomes.levels.expected_shortfall),
            trades=traded,
            hedges=tuple(hedges),
            hedge_prices=tuple(self._tradable(name).price for name in hedges),
            lines=names,
            horizons=horizons,
            limits=(limits[0], limits[1]),
            seconds=time.perf_counter() - began,
        )

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return what can be traded."""
        return tuple(name for name, each in self._desk.items() if each.parts)

    def _traded(self, trade: Trade) -> Traded:
        name = trade.instrument_id
        price, nav = self._tradable(name).price, self.portfolio.nav
        if trade.how == QUANTITY and not np.isfinite(price):
            raise PortfolioError(
                f"{name} has no price on {self.base.as_of}; give its amount or weight instead."
            )
        amount = {QUANTITY: trade.size * price, AMOUNT: trade.size, WEIGHT: trade.size * nav}[trade.how]
        quantity = trade.size if trade.how == QUANTITY else amount / price
        return Traded(name, float(quantity), float(price), float(amount), float(amount / nav))

    def _tradable(self, name: str) -> Tradable:
        found = self._desk[known(name, self._desk)]
        if not found.parts:
            raise PortfolioError(f"{name} cannot be traded here, it has no scenarios: {found.reason}.")
        return found

    def _question(self, traded: Sequence[Traded], hedges: Sequence[str]) -> tuple[Question, tuple[str, ...]]:
        """Return a question, and the names of its lines: the portfolio's own, then those that trades add."""
        if len(set(hedges)) < len(hedges):
            raise PortfolioError("A hedge is named twice; name each once.")
        lines, more = self.portfolio.lines, list(self.portfolio.lines.more)
        after = self.portfolio.weights.tolist()
        for each in traded:
            for times, line in self._tradable(each.instrument_id).parts:
                place = line.held
                if line.instrument_id:
                    if line not in more:
                        more.append(line)
                        after.append(0.0)
                    place = len(lines.own) + more.index(line)
                after[place] += times * each.weight
        names = (*lines.own, *(line.instrument_id for line in more))
        question = Question(
            trades=tuple(self._unit(each.instrument_id) for each in traded),
            amounts=np.array([each.weight for each in traded]),
            hedges=tuple(self._unit(name) for name in hedges),
            after=np.array(after),
            more=tuple(unit_of(line) for line in more),
        )
        return question, names

    def _unit(self, name: str) -> Parts:
        return tuple((times, unit_of(line)) for times, line in self._tradable(name).parts)

    def _limited(self, horizons: Sequence[Found], asked: Question, after: bool) -> tuple[LimitState, ...]:
        if self._limits is None:
            return ()
        own, risk = self.portfolio, {}
        for found in horizons:
            measures = (found.after if after else found.before).measures
            risk["value_at_risk", found.horizon_d] = 100.0 * measures.value_at_risk
            risk["expected_shortfall", found.horizon_d] = 100.0 * measures.expected_shortfall
        held = own.held(asked.after if after else own.weights)
        exposed = Exposed(own.portfolio_id, self.base.as_of, own.nav, own.currency, risk, held)
        return tuple(self._limits(exposed))


@contextmanager
def risk_session(
    settings: Settings,
    portfolio: str = "",
    limits: Limits | None = None,
    reporter: Reporter | None = None,
    fan_out: FanOut | None = None,
) -> Iterator[RiskSession]:
    """Yield a session for questions about the run that simulated last; whatever happens, Ray is let go.

    Args:
        settings: of the project; those that decide numbers are taken from the run.
        portfolio: which one; that of the headlines by default.
        limits: what says how much of its limits a portfolio uses.
        reporter: told what is done.
        fan_out: of a Ray that runs already; one is started by default.

    Raises:
        PortfolioError: no run can be asked about, or memory is short.
    """
    reporter = reporter or Reporter()
    with ExitStack() as stack:
        with reporter.stage("Read fits, returns and book of the last run"), reader(settings) as tables:
            base = newest_base(tables, settings)
            calibration = calibration_of(tables, base)
            desk = desk_of(tables, base, calibration)
            own = portfolio_of(tables, base, desk, portfolio)
            world = world_of(calibration, base.settings)
            outcomes = every_outcome(world, base.settings)
            losses = losses_before(outcomes.returns, own.weights, own.more)
            measured = {own.portfolio_id: outcomes.measures(losses).value_at_risk}
            refuse_other_numbers(tables, base, measured, 1)
            tradable = desk.tradable(own, desk.names)
        reporter.say(
            f"{own.portfolio_id} on {base.as_of}, run {base.run_id} ({base.workload}): "
            "one-day VaR equals the one reported"
        )
        fan_out, kept = _with_room(settings, len(desk.instruments), fan_out, reporter, stack)
        reporter.say(f"    {kept.words} are kept in memory")
        horizon_d = max(base.settings.simulation.horizons_d)
        horizon_d = horizon_d if horizon_d > 1 else _USUAL_HORIZON_D
        with reporter.stage(f"Generate scenarios of {horizon_d} days (Ray)"):
            done = reporter.counter(block_count(kept.scenarios), "blocks of scenarios")
            blocks = RayBlocks(fan_out, world, horizon_d, kept, done)
        risk = base.settings.risk
        levels = Levels(risk.var_confidence, risk.es_confidence)
        resident = Resident(blocks, horizon_d, levels, world.compiled_in)
        yield RiskSession(base, own, tradable, outcomes, resident, kept, limits)


def _with_room(
    settings: Settings, instruments: int, fan_out: FanOut | None, reporter: Reporter, stack: ExitStack
) -> tuple[FanOut, Room]:
    """Return a fan-out, and how many scenarios of so many instruments its object store has room for.

    Where Ray runs next to this process it is started with the store that they need; elsewhere, and where it
    runs already, the store is as large as it is.
    """
    of = settings.what_if
    precision = {"auto": "auto", "double": "float64", "single": "float32"}[of.precision]
    if fan_out is None and ray_beside(settings):
        budget = of.memory_mb or int(_SHARE_OF_FREE * (available_mb() or _UNKNOWN_MB))
        kept = room(of.scenarios, instruments, budget, precision)
        store = max(settings.ray.object_store_mb, int(1.05 * kept.megabytes) + _BESIDE_MB)
        wide = settings.ray.model_copy(update={"object_store_mb": store})
        with reporter.stage("Start Ray"):
            return stack.enter_context(ray_of_profile(settings.model_copy(update={"ray": wide}))), kept
    if fan_out is None:
        with reporter.stage("Start Spark and Ray inside it"):
            fan_out = stack.enter_context(ray_of_profile(settings))
    budget = int(_SHARE_OF_STORE * store_mb())
    budget = min(of.memory_mb or budget, budget)
    return fan_out, room(of.scenarios, instruments, budget, precision, "ray.object_store_mb")


def world_of(calibration: Calibration, settings: Settings) -> World:
    """Return what scenarios of instruments are made from; portfolios are applied to them afterwards."""
    names = calibration.returns.instruments
    nothing = Book.plain(("",), names, np.zeros((1, len(names))), 1.0, "XXX")
    world, _ = build_world(calibration, nothing, settings)
    return replace(world, lines=None)


def every_outcome(world: World, settings: Settings) -> Outcomes:
    """Return every outcome of one day."""
    returns = world.returns((0, len(world.residuals)), 1)
    levels = Levels(settings.risk.var_confidence, settings.risk.es_confidence)
    return Outcomes(np.ascontiguousarray(returns.T), levels)
