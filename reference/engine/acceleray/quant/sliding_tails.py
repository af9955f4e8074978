"""The largest losses in windows that slide from day to day, and the forecasts that they make.

Of two thousand losses fifty decide value-at-risk and expected shortfall. The maxima of groups give a bound
that at least as many losses reach; only what reaches it is sorted, and a shorter window is the end of the
longer one. No rounding happens before the weights of ``order_weights``, so the numbers are those of a sorted
sample, to the bit.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses

_LOWEST = np.finfo(np.float64).min
# Days looked at together: their losses fit into a processor's cache.
_TOGETHER = 64


def sliding(losses: NDArray[np.float64], ends: NDArray[np.int64], longest: int) -> NDArray[np.float64]:
    """Return the last losses before each end, the oldest first, of shape (ends, longest).

    ``losses`` (days,) is one series; where fewer than ``longest`` come before an end, -inf stands first.
    """
    padded = np.concatenate((np.full(longest, -np.inf), losses))
    return np.lib.stride_tricks.sliding_window_view(padded, longest)[ends]


def forecasts_over_windows(
    losses: NDArray[np.float64],
    known: NDArray[np.int64],
    windows: Sequence[int],
    confidence: float,
    es_confidence: float,
    scale: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what past losses forecast for each day by the last of each window, (windows, 3, days).

    The three are those of ``forecasts.forecast_at_both``. ``losses`` (days, longest) are finite but for -inf
    where there is none, the oldest first, and ``known`` (days,) of them there are. With a ``scale`` (days,)
    above zero they are those times it.
    """
    found = np.empty((len(windows), 3, len(losses)))
    for first in range(0, len(losses), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        kept = [_kept(int(known[some].max()), window, confidence, es_confidence) for window in windows]
        for place, top in enumerate(largest_in_windows(losses[some], windows, kept)):
            scaled = top if scale is None else top * scale[some, np.newaxis]
            counts = np.minimum(known[some], windows[place])
            alike = np.flatnonzero(np.diff(counts, prepend=-1, append=-1))
            for begin, end in pairwise(alike.tolist()):
                each = scaled[begin:end]
                for number, weights in enumerate(_weights(int(counts[begin]), confidence, es_confidence)):
                    found[place, number, first + begin : first + end] = weighted_losses(each, weights)
    return found


def largest_in_windows(
    losses: NDArray[np.float64], windows: Sequence[int], kept: Sequence[int]
) -> list[NDArray[np.float64]]:
    """Return the largest of the last losses of each window (days, kept), largest first.

    ``losses`` (days, longest) as above; -inf where a window has fewer. ``kept`` is one number a window, at
    most its length.
    """
    losses = np.ascontiguousarray(losses)
    days, longest = losses.shape
    lengths = [min(window, longest) for window in windows]
    bound = np.minimum.reduce(
        [_reached(losses[:, longest - length :], count) for length, count in zip(lengths, kept, strict=True)]
    )
    at = np.flatnonzero(losses >= bound[:, np.newaxis])
    day, column = np.divmod(at, longest)
    begin = np.searchsorted(day, np.arange(days + 1))
    width = max(int(np.diff(begin).max()), *kept)
    place = np.arange(at.size) - begin[day]
    values, columns = np.full((days, width), -np.inf), np.full((days, width), -1)
    values[day, place], columns[day, place] = losses.ravel()[at], column
    return [
        np.sort(np.where(columns >= longest - length, values, -np.inf), axis=1)[:, ::-1][:, :count]
        for length, count in zip(lengths, kept, strict=True)
    ]


def _reached(losses: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return a value (days,) that at least ``count`` of the losses (days, window) reach, if so many are."""
    days, window = losses.shape
    # Twice as many groups as losses wanted, so that the bound lets hardly more through than those.
    groups = min(max(2 * count, 1), window)
    size = window // groups
    maxima = losses[:, window - groups * size :].reshape(days, size, groups).max(axis=1)
    reached = np.partition(maxima, groups - count, axis=1)[:, groups - count]
    return np.asarray(np.maximum(reached, _LOWEST))


@lru_cache(maxsize=4096)
def _weights(count: int, confidence: float, es_confidence: float) -> tuple[NDArray[np.float64], ...]:
    return (
        quantile_weights(count, confidence),
        quantile_weights(count, es_confidence),
        shortfall_weights(count, es_confidence),
    )


def _kept(known: int, window: int, confidence: float, es_confidence: float) -> int:
    return max(each.size for each in _weights(min(known, window), confidence, es_confidence))
