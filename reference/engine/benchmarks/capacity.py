"""The extrapolated cost of large works on many machines, from measurements and stated assumptions.

A model, not a measurement: it multiplies seconds of one core, divides by cores at the measured efficiency,
and adds start-up. A driver that hands out tasks more slowly than so many cores end them is the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

NODES = (1, 10, 100)
TRADING_DAYS = 252


@dataclass(frozen=True)
class Constants:
    """Measurements on this machine.

    Attributes:
        fit_s: of one core for one fit, dispatch included.
        valuation_s: of one core for one portfolio in one scenario.
        dispatch_s: of the driver for one task that does nothing.
        start_s: until engines are up.
        efficiency: speed-up by all workers over their number, by work.
    """

    fit_s: float | None
    valuation_s: float | None
    dispatch_s: float
    start_s: float
    efficiency: Mapping[str, float]


@dataclass(frozen=True)
class Machine:
    """Assumptions about a node.

    Attributes:
        cores: of a node, each as fast as one here.
        price: of a core for an hour, an example.
    """

    cores: int
    price: float


@dataclass(frozen=True)
class Capacity:
    """One work on so many nodes.

    Attributes:
        work: in words.
        nodes: machines.
        core_hours: of computing, paid for whether cores wait or not.
        hours: from start to end.
        price: of all cores for that time, in whatever currency the example price is.
        limit: "cores", or "driver" where handing out tasks takes longer than the tasks.
    """

    work: str
    nodes: int
    core_hours: float
    hours: float
    price: float
    limit: str


def capacities(constants: Constants, machine: Machine) -> Iterator[Capacity]:
    """Yield both works on each number of nodes, as far as their constants were measured."""
    fits = 10_000 * 20 * TRADING_DAYS
    if constants.fit_s is not None:
        efficiency = constants.efficiency.get("calibration", 1.0)
        name = "10,000 instruments x 20 years, calibrated daily"
        for grouped, how in ((1, "one task per fit"), (100, "100 fits per task")):
            compute, tasks = fits * constants.fit_s, fits / grouped
            yield from _on_nodes(f"{name}, {how}", compute, tasks, efficiency, constants, machine)
    if constants.valuation_s is not None:
        efficiency = constants.efficiency.get("simulation", 1.0)
        name = "100,000,000 scenarios x 100,000 portfolios"
        yield from _on_nodes(name, 1e13 * constants.valuation_s, 0.0, efficiency, constants, machine)


def _on_nodes(
    work: str, core_s: float, tasks: float, efficiency: float, constants: Constants, machine: Machine
) -> Iterator[Capacity]:
    for nodes in NODES:
        cores = nodes * machine.cores
        computing, handing_out = core_s / (cores * efficiency), tasks * constants.dispatch_s
        hours = (max(computing, handing_out) + constants.start_s) / 3600.0
        limit = "driver" if handing_out > computing else "cores"
        yield Capacity(work, nodes, core_s / 3600.0, hours, hours * cores * machine.price, limit)


def assumptions(constants: Constants, machine: Machine) -> list[str]:
    """Return what the model takes for granted, in plain lines."""
    lines = [
        f"Nodes of {machine.cores} cores, each as fast as a core of this machine; a price of "
        f"{machine.price:g} per core-hour is an example, not an offer.",
        f"Engines need {constants.start_s:.0f} s to start, as measured; the time to provision machines is "
        "not included.",
        f"One driver dispatches {1.0 / constants.dispatch_s:,.0f} tasks per second, as measured.",
        "Efficiency does not fall beyond the measured number of nodes; no shared disk or network limits "
        "the nodes.",
    ]
    if constants.fit_s is not None:
        share = constants.efficiency.get("calibration", 1.0)
        lines.append(
            f"A fit takes {1e3 * constants.fit_s:.1f} ms of one core, the mean over histories of 250 to "
            f"4,000 days (mean 2,125); {TRADING_DAYS} days a year; efficiency {share:.2f}."
        )
    if constants.valuation_s is not None:
        share = constants.efficiency.get("simulation", 1.0)
        lines.append(
            f"A portfolio of 20 instruments in one scenario takes {1e9 * constants.valuation_s:.2f} ns of "
            f"one core, proportional in both numbers; efficiency {share:.2f}."
        )
    return lines


def table(found: Sequence[Capacity]) -> list[str]:
    """Return the capacities as a Markdown table."""
    lines = ["| work | nodes | core-hours | hours | example price | limit |", "|---|---:|---:|---:|---:|---|"]
    for one in found:
        cells = [
            one.work,
            f"{one.nodes:,}",
            f"{one.core_hours:,.0f}",
            f"{one.hours:,.2f}",
            f"{one.price:,.0f}",
        ]
        lines.append("| " + " | ".join([*cells, one.limit]) + " |")
    return lines


def as_rows(found: Sequence[Capacity]) -> list[dict[str, Any]]:
    """Return the capacities as they are written to the results."""
    return [asdict(one) for one in found]
