"""Past days under the fits of one block of days: residuals, volatilities and co-movement."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.comovement import Comovement
from acceleray.quant.garch import GjrFit
from acceleray.quant.residuals import fill_missing, filtered

# Past losses without which a forecast would rest on a handful of days.
MINIMUM_DAYS = 100


@dataclass(frozen=True)
class Past:
    """Replayable past of the days ``first`` to ``last - 1``, all of one set of fits.

    Attributes:
        columns: (columns,) places of the instruments, all with a fit.
        days: rows with a residual of any of them, ascending, from the longest window before ``first`` on.
        ends: (last - first,) how many of these come before each day of the block.
        comovement: the residuals of ``days``, complete, and how much they moved together.
        sigma: (last - first, columns) volatility forecasts.
    """

    columns: NDArray[np.int64]
    days: NDArray[np.int64]
    ends: NDArray[np.int64]
    comovement: Comovement
    sigma: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        asset_returns: NDArray[np.float64],
        columns: NDArray[np.int64],
        first: int,
        last: int,
        fits: Sequence[GjrFit | None],
        window: int,
        seed: int = 0,
        unseen: NDArray[np.float64] | None = None,
        members: NDArray[np.bool_] | None = None,
    ) -> "Past":
        """Return what is known of some assets before each of the days ``first`` to ``last - 1``.

        ``asset_returns`` (days, assets) may have gaps; ``fits`` must have been estimated on days before
        ``first``. ``unseen``, of the shape of the returns, are returns of days that the fits left out (see
        ``spans.outside``). Each asset's returns are filtered with its fit. Gaps are filled as in
        ``fill_missing``, learnt from the ``window`` days before ``first``; ``seed`` serves only there.
        ``members`` (assets,) are those whose mean the co-movement follows.

        Raises:
            ValueError: days that are not given, too few before ``first``, or an asset without parameters.
        """
        asset_returns = np.asarray(asset_returns, dtype=np.float64)
        if not 0 < first < last <= asset_returns.shape[0]:
            raise ValueError(
                f"days {first} to {last} do not lie within the {asset_returns.shape[0]} days given"
            )
        # Nothing on or after the last day forecast is looked at, and its own return only drops off the end.
        known = asset_returns[: last - 1, columns]
        sigma = np.empty((last - first, columns.size))
        residuals = np.full(known.shape, np.nan)
        for place, column in enumerate(columns):
            fit = fits[int(column)]
            if fit is None or fit.parameters is None:
                raise ValueError("a calibrated fit must carry parameters")
            left_out = None if unseen is None else unseen[: last - 1, column]
            residuals[:, place], path = filtered(
                known[:, place], fit.parameters, fit.initial_variance, left_out
            )
            sigma[:, place] = path[first:last]
        days = np.flatnonzero(np.isfinite(residuals).any(axis=1))
        before_first = int(np.searchsorted(days, first))
        if before_first < MINIMUM_DAYS:
            raise ValueError(f"{before_first} days before day {first} are too few to replay")
        skipped = max(before_first - window, 0)
        days, learnt = days[skipped:], before_first - skipped
        filled, _ = fill_missing(residuals[days], seed, [int(column) for column in columns], learnt)
        comovement = Comovement.of(filled, None if members is None else members[columns], learnt)
        ends = np.searchsorted(days, np.arange(first, last))
        return cls(columns, days, ends, comovement, sigma)

    def window(self, step: int, longest: int) -> NDArray[np.float64]:
        """Return the residuals of the last days before day ``step`` of the block, at most so many."""
        end = int(self.ends[step])
        return self.comovement.residuals[max(end - longest, 0) : end]

    def replayed(self, step: int, longest: int) -> NDArray[np.float64]:
        """Return the same at the correlation of the evening before that day (see ``comovement``)."""
        end = int(self.ends[step])
        return self.comovement.replayed(max(end - longest, 0), end)
