"""Whether a project's signal looks ahead, found out by changing days that its value must not depend on.

A statistic is given many windows at once, one per row. It looks ahead if it reads other rows than its own: a
shift by a day, or a comparison with the mean of all rows. So each signal is computed on invented series, and
on the same series with other days changed. Its values must have the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.processes.signals import first_line
from acceleray.errors import PortfolioError
from acceleray.extend import Signal
from acceleray.quant.rolling import rolling
from acceleray.runtime.content import content_key
from acceleray.runtime.made_with import made_with

# Rows of windows: more than `rolling` gives a statistic at a time. Days that are the last known ones: in the
# middle of what it gives, near an end of it, and in its second part.
_ROWS, _LAST_KNOWN = 200, (3, 40, 97, 126, 128, 170)
_SEED = 20_240_229


def refuse_look_ahead(signals: Sequence[Signal], where: str = "src/portfolio/signals.py") -> None:
    """Refuse signals whose value depends on days outside their window.

    Args:
        signals: of a project.
        where: they are declared; messages name it.

    Raises:
        PortfolioError: a statistic looks ahead, looks further back than its window, raises, or does not
            return one number per window. The message names the signal.
    """
    for signal in signals:
        series = _series(signal)
        found = _values(signal, series, where)
        for row in _LAST_KNOWN:
            last = signal.length - 1 + row
            later = _values(signal, [_changed(each, slice(last + 1, None)) for each in series], where)
            if not _same(found[: last + 1], later[: last + 1]):
                raise PortfolioError(
                    f"Signal '{signal.name}' of {where} looks ahead: its value on a day changes when later "
                    "prices change; compute each row from its own window alone."
                )
            earlier = _values(signal, [_changed(each, slice(0, row)) for each in series], where)
            if not _same(found[last:], earlier[last:]):
                raise PortfolioError(
                    f"Signal '{signal.name}' of {where} depends on days before its window of "
                    f"{signal.length}; compute each row from its own window alone."
                )


def signal_content(signal: Signal) -> str:
    """Return a digest of what a signal is: its windows, the code of its function, and what that makes of the
    invented series.

    The last tells apart what no source does: numbers that a module reads from a file when it is imported.
    """
    function, arguments = signal.statistic, list[str]()
    while isinstance(function, partial):
        arguments.append(repr((function.args, sorted(function.keywords.items()))))
        function = function.func
    values = _values(signal, _series(signal), "")
    of = (signal.name, signal.of, signal.length, made_with(function), *arguments)
    return content_key(*of, values[signal.length - 1 :])


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def _series(signal: Signal) -> list[NDArray[np.float64]]:
    """Return what the signal is computed of: gains and losses, a crash, and no day like another."""
    random = np.random.default_rng(_SEED)
    days = signal.length - 1 + _ROWS
    market = random.normal(0.0, 0.01, days)
    returns = market + random.normal(0.0, 0.02, days)
    returns[days // 2] = -0.3
    if signal.of == "prices":
        return [np.asarray(100.0 * np.cumprod(1.0 + returns), dtype=np.float64)]
    return [returns] if signal.of == "returns" else [returns, market]


def _changed(series: NDArray[np.float64], days: slice) -> NDArray[np.float64]:
    changed = series.copy()
    # Two thirds and four thirds, in an order that is no order: a mean, a highest and a sum all notice.
    factors = np.random.default_rng(_SEED + 1).choice([2.0 / 3.0, 4.0 / 3.0], changed[days].size)
    changed[days] *= factors
    return changed


def _values(signal: Signal, series: Sequence[NDArray[np.float64]], where: str) -> NDArray[np.float64]:
    def statistic(*windows: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = windows[0].shape[0]
        values = np.asarray(signal.statistic(*windows))
        if values.shape != (rows,) or values.dtype.kind not in "fiub":
            raise PortfolioError(
                f"Signal '{signal.name}' of {where} returned {values.dtype} of shape {values.shape} for "
                f"{rows} windows; return one number per window, of shape ({rows},)."
            )
        return values.astype(np.float64)

    try:
        with np.errstate(all="ignore"):
            return rolling(statistic, signal.length, *series)
    except PortfolioError:
        raise
    except Exception as error:
        raise PortfolioError(
            f"Signal '{signal.name}' of {where} cannot be computed: {type(error).__name__}: "
            f"{first_line(error)}."
        ) from error
