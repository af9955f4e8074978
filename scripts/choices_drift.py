"""Measure zero drift against the fitted one in simulated paths; docs/decisions/0041 has rule and numbers.

The record is the sample that ships with skfolio; nothing of Spark or Ray is started. It takes about four
minutes on one core, and the same table comes out on every run with the locked libraries.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render import ROOT

SEED, HORIZON_D, OFFSETS = 20_260_101, 10, 10
DRIFTS = ("fitted", "zero")


@dataclass(frozen=True)
class Record:
    """All windows of one drift and horizon: forecasts (windows, 3), losses (windows,), shares of NAV."""

    forecasts: NDArray[np.float64]
    losses: NDArray[np.float64]
    offsets: int

    @property
    def scores(self) -> NDArray[np.float64]:
        """Return the FZ0 loss of each window's VaR and ES at 97.5 % (Patton, Ziegel & Chen 2019, eq. 6)."""
        return fissler_ziegel(self.losses, self.forecasts[:, 1], self.forecasts[:, 2], 0.025)


def fissler_ziegel(
    losses: NDArray[np.float64], var: NDArray[np.float64], shortfall: NDArray[np.float64], tail: float
) -> NDArray[np.float64]:
    """Return the FZ0 loss of positive VaR and ES forecasts; the smaller the better, on average."""
    beyond = np.where(losses > var, losses - var, 0.0)
    return np.asarray(beyond / (tail * shortfall) + var / shortfall + np.log(shortfall) - 1.0)


def newey_west(values: NDArray[np.float64], lags: int) -> tuple[float, float]:
    """Return the mean of a series and its standard error (Newey & West 1987, Bartlett weights)."""
    deviations = values - values.mean()
    count = values.size
    variance = float(deviations @ deviations) / count
    for lag in range(1, lags + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(deviations[lag:] @ deviations[:-lag]) / count
    return float(values.mean()), (variance / count) ** 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args(arguments)
    # Modules of template/ are what a customer receives: nothing is written beside them.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path.insert(0, str(ROOT / "template" / "engine"))
    sys.stdout.write("\n".join(table()) + "\n")


def table() -> list[str]:
    """Return the lines of the table."""
    returns, blocks = record()
    lines = [told_mean(blocks)]
    for horizon_d, offsets in ((HORIZON_D, OFFSETS), (1, 1)):
        found = {drift: measured(returns, blocks, horizon_d, offsets, drift) for drift in DRIFTS}
        lines += [line(drift, horizon_d, each) for drift, each in found.items()]
        gains = found["zero"].scores - found["fitted"].scores
        mean, error = newey_west(gains, max(2 * horizon_d, 20))
        lines.append(
            f"{horizon_d} d: FZ0 of zero less that of fitted {mean:+.5f},"
            f" 95 % interval [{mean - 1.96 * error:+.5f}, {mean + 1.96 * error:+.5f}]"
        )
    return lines


def line(drift: str, horizon_d: int, found: Record) -> str:
    """Return one row in words and numbers."""
    from acceleray.quant.coverage import coverage

    var, threshold, shortfall = found.forecasts.T
    at, beyond = (
        coverage(found.losses > forecast, confidence, found.offsets)
        for forecast, confidence in ((var, 0.99), (threshold, 0.975))
    )
    z2 = 1.0 - float(np.where(found.losses > threshold, found.losses / shortfall, 0.0).mean()) / 0.025
    return (
        f"{horizon_d} d, {drift}: {at.windows:,} windows, 99 %: {at.exceptions} exceptions,"
        f" {at.expected:.1f} expected, p {at.kupiec_p:.2g}, rate {at.rate_low:.2%} to {at.rate_high:.2%};"
        f" 97.5 %: {beyond.exceptions}, {beyond.expected:.1f} expected, p {beyond.kupiec_p:.2g};"
        f" Z2 {z2:+.3f}; mean VaR 99 % {var.mean():.3%}, mean ES 97.5 % {shortfall.mean():.3%},"
        f" last ES {shortfall[-1]:.3%}; FZ0 {found.scores.mean():.4f}"
    )


def told_mean(blocks: Sequence[Any]) -> str:
    """Return what the fitted means are and how well they are known."""
    fits = [fit for block in blocks for fit in block.fits if fit.status == "calibrated"]
    means = np.array([fit.parameters.mu for fit in fits])
    errors = np.array([fit.standard_errors.mu for fit in fits])
    return (
        f"fitted mean of a day: {means.mean():.4%} on average,"
        f" standard error of one {np.nanmean(errors):.4%}; {len(fits)} fits"
    )


def measured(
    returns: NDArray[np.float64], blocks: Sequence[Any], horizon_d: int, offsets: int, drift: Any
) -> Record:
    """Return every window of a horizon, in the order of their first days."""
    from acceleray.quant.coverage import origins
    from acceleray.settings import Risk
    from acceleray.stages.backtest.long_horizon import Question, forecast_windows
    from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL

    last = min(blocks[-1].last, len(returns) - horizon_d + 1)
    rows = tuple(origins(blocks[0].first, last, horizon_d, offsets).tolist())
    question = Question(FILTERED_HISTORICAL, horizon_d, rows)
    forecasts, losses = [], []
    for number, block in enumerate(blocks, start=1):
        [answer] = forecast_windows(
            block,
            returns,
            np.ones(returns.shape),
            questions=(question,),
            residual_window=2000,
            risk=Risk(),
            seed=SEED,
            drift=drift,
        )
        forecasts.append(answer.forecasts[0])
        losses.append(answer.losses[0])
        if number % 10 == 0:
            sys.stderr.write(f"{horizon_d} d, {drift}: {number} of {len(blocks)} blocks\n")
    return Record(np.concatenate(forecasts), np.concatenate(losses), offsets)


def record() -> tuple[NDArray[np.float64], list[Any]]:
    """Return the returns (days, names) of the sample, and every block of the schedule with its fits."""
    from skfolio.datasets import load_sp500_dataset

    prices = load_sp500_dataset().to_numpy(dtype=np.float64)
    returns = prices[1:] / prices[:-1] - 1.0
    return returns, list(calibrated(returns))


def calibrated(returns: NDArray[np.float64]) -> Iterator[Any]:
    """Yield every block of the schedule as shipped, with the fits that were made before it."""
    from acceleray.settings.sections import Calibration, MarketData
    from acceleray.stages.backtest.blocks import Block
    from acceleray.stages.calibrate.fits import fit_before
    from acceleray.stages.calibrate.schedule import scheduled

    calibration, stale = Calibration(), MarketData().stale_after_d
    for first, last in pairwise(scheduled(calibration, len(returns))):
        seen = (returns, calibration.window_d, calibration.minimum_history_d, stale)
        yield Block(first, last, tuple(fit_before((first, c), *seen) for c in range(returns.shape[1])))


if __name__ == "__main__":
    main()
