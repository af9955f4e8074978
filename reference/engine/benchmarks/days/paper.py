"""How days grow with the universe, and what larger ones would take on many machines, on paper.

A model, not a measurement. Of each stage the seconds at the smallest size are taken to stay, whatever the
size and the machines; what is above them grows by the exponent that was measured, and in a stage of Spark or
Ray it is divided among the cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from capacity import NODES, Machine
from growth import exponent

_ENGINES = ("(Spark)", "(Ray)")


@dataclass(frozen=True)
class Growth:
    """Seconds of one stage over sizes.

    Attributes:
        day: as in the results.
        stage: its title, or `all`.
        prices: of each size, ascending.
        seconds: the median at each.
        exponent: b of seconds = a * prices^b.
    """

    day: str
    stage: str
    prices: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float

    def at(self, prices: float) -> tuple[float, float]:
        """Return the seconds that stay, and those that grow, at a size."""
        stays = min(self.seconds)
        grown = self.seconds[-1] * (prices / self.prices[-1]) ** max(self.exponent, 0.0)
        return stays, max(0.0, grown - stays)


@dataclass(frozen=True)
class Plan:
    """One day of one size on so many nodes, in seconds."""

    universe: str
    day: str
    nodes: int
    seconds: float


def growths(points: Mapping[str, Sequence[tuple[int, Mapping[str, float]]]]) -> Iterator[Growth]:
    """Yield the growth of each stage of each day that ran at several sizes, and of their sum.

    `points` are, by day, the prices of each size and the seconds of each stage there.
    """
    for day, sizes in points.items():
        if len({prices for prices, _ in sizes}) < 2:
            continue
        ordered = sorted(sizes, key=lambda size: size[0])
        prices = tuple(size[0] for size in ordered)
        everywhere = [name for name in ordered[0][1] if all(name in stages for _, stages in ordered)]
        whole = [sum(stages[name] for name in everywhere) for _, stages in ordered]
        for name, seconds in (
            *((name, [stages[name] for _, stages in ordered]) for name in everywhere),
            ("all", whole),
        ):
            # Lines show tenths of a second: of less there is no logarithm to be fitted.
            shown = tuple(max(one, 0.05) for one in seconds)
            yield Growth(day, name, prices, shown, exponent(prices, shown) or 0.0)


def plans(
    found: Sequence[Growth],
    machine: Machine,
    cores_here: int,
    efficiency: float,
    universes: Mapping[str, int],
) -> Iterator[Plan]:
    """Yield each day of each universe, name and prices, on each number of nodes."""
    for name, prices in universes.items():
        for day in dict.fromkeys(growth.day for growth in found):
            stages = [growth for growth in found if growth.day == day and growth.stage != "all"]
            for nodes in NODES:
                cores = max(1.0, nodes * machine.cores * efficiency / cores_here)
                seconds = 0.0
                for growth in stages:
                    stays, grows = growth.at(prices)
                    seconds += stays + (grows / cores if growth.stage.endswith(_ENGINES) else grows)
                yield Plan(name, day, nodes, round(seconds, 1))


def assumptions(machine: Machine, cores_here: int, efficiency: float) -> list[str]:
    """Return what the plan takes for granted, in plain lines."""
    return [
        f"Nodes of {machine.cores} cores, each as fast as one of the {cores_here} here; stages of Spark and "
        f"Ray use them with an efficiency of {efficiency:g}.",
        "The seconds of a stage at the smallest universe stay, whatever the size and the nodes: starting, "
        "planning, commits.",
        "Stages without an engine in their name (score, limits, report) run on one core of the driver.",
        "Provisioning machines is not counted; nodes share no disk or network that would be the limit.",
    ]


def growth_table(found: Sequence[Growth]) -> list[str]:
    """Return the growth as a Markdown table."""
    lines = ["| day | stage | prices | seconds | exponent |", "|---|---|---|---|---:|"]
    for one in found:
        prices, seconds = ", ".join(f"{p:,}" for p in one.prices), ", ".join(f"{s:.1f}" for s in one.seconds)
        lines.append(f"| {one.day} | {one.stage} | {prices} | {seconds} | {one.exponent:.2f} |")
    return lines


def plan_table(found: Sequence[Plan]) -> list[str]:
    """Return the plan as a Markdown table."""
    heading = " | ".join(f"{nodes} node{'s' * (nodes > 1)}" for nodes in NODES)
    lines = [f"| universe | day | {heading} |", "|---|---|" + "---:|" * len(NODES)]
    for key in dict.fromkeys((one.universe, one.day) for one in found):
        cells = [f"{one.seconds:,.0f} s" for one in found if (one.universe, one.day) == key]
        lines.append("| " + " | ".join([*key, *cells]) + " |")
    return lines


def as_rows(found: Sequence[Growth] | Sequence[Plan]) -> list[dict[str, Any]]:
    """Return growth or plan as it is written to the results."""
    return [asdict(one) for one in found]
