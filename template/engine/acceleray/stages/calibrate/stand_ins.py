"""Whose moves an instrument without a model takes: the proxy that is named, its group, or all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acceleray.stages.calibrate.stage import Calibration


@dataclass(frozen=True)
class StandIn:
    """Instruments with a model whose mean move another one takes, and the words for it."""

    words: str
    of: tuple[str, ...]


def statuses(calibration: Calibration) -> dict[str, str]:
    """Return the status of each instrument's fit."""
    status = (fit.status for fit in calibration.fits)
    return dict(zip(calibration.returns.instruments, status, strict=True))


def stand_in(calibration: Calibration, instrument: str) -> StandIn:
    """Return what stands in for an instrument; its group where one of it has a model, all where none has.

    A named proxy must have a model; otherwise it counts as not named.
    """
    status = statuses(calibration)
    proxy = calibration.proxy_of.get(instrument, "")
    if status.get(proxy) == "calibrated":
        return StandIn(f"with {proxy}", (proxy,))
    group, members = group_of(calibration.groups, instrument)
    modelled = tuple(name for name in members if status.get(name) == "calibrated")
    if modelled:
        return StandIn(
            f"with the mean of {group} ({', '.join(modelled[:5])}{', ...' * (len(modelled) > 5)})", modelled
        )
    return StandIn("with the mean of all", tuple(name for name in status if status[name] == "calibrated"))


def group_of(groups: Mapping[str, tuple[str, ...]], instrument: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and the members of an instrument's group, both empty where it has none."""
    return next(((name, members) for name, members in groups.items() if instrument in members), ("", ()))


def unusable_names(calibration: Calibration) -> list[str]:
    """Return a line for each name in `market_data.proxies` and `groups` that lends no moves: nothing of them
    is left out in silence."""
    status = statuses(calibration)
    lines = []
    for name, proxy in calibration.proxy_of.items():
        if name not in status:
            lines.append(f"market_data.proxies names {name}, which has no prices")
        elif status[name] == "proxied" and status.get(proxy) != "calibrated":
            words = stand_in(calibration, name).words.removeprefix("with ")
            lines.append(f"{proxy}, the proxy of {name}, has no model: {words} replaces it")
    for group, members in calibration.groups.items():
        lines += [
            f"market_data.groups.{group} names {name}, which has no prices"
            for name in members
            if name not in status
        ]
        known = [status[name] for name in members if name in status]
        if "proxied" in known and "calibrated" not in known:
            lines.append(
                f"no instrument of market_data.groups.{group} has a model: the mean of all replaces it"
            )
    return lines
