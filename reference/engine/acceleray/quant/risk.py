"""Value-at-risk and expected shortfall of equally likely losses, their errors and contributions.

A loss is positive. With S scenarios at confidence c, the *tail mass* is m = S (1 - c) scenarios, often
fractional.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


def tail_mass(count: int, confidence: float) -> float:
    """Return the number of scenarios, possibly fractional, in the tail: ``count * (1 - confidence)``.

    Rounded to a millionth of a scenario, so that 1,000 scenarios at 99 % have a tail of exactly 10.
    Raises ValueError for a confidence outside (0, 1) or without any scenario.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"the confidence must lie between 0 and 1, not at {confidence}")
    if count < 1:
        raise ValueError("there must be at least one scenario")
    mass = round(count * (1.0 - confidence), 6)
    if mass <= 0.0:
        raise ValueError(f"{count} scenarios have no tail at confidence {confidence}")
    return mass


def value_at_risk(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the smallest loss l with P(L <= l) >= confidence: the (floor(m) + 1)-th largest of the losses.

    Losses are of shape (scenarios,) or (scenarios, portfolios); the result is of shape () or (portfolios,),
    in the unit of the losses, negative where even this quantile is a gain. Raises ValueError for losses not
    finite.
    """
    columns = _columns(losses)
    mass = tail_mass(columns.shape[1], confidence)
    return _shaped(tail_value_at_risk(largest(columns, int(mass) + 1), mass), losses)


def expected_shortfall(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the mean loss of the worst m scenarios, the one at the edge counted by its fraction.

    That is (sum of the floor(m) largest + (m - floor(m)) * next) / m: Acerbi & Tasche 2002, definition 2.6;
    Rockafellar & Uryasev 2002, proposition 8. Shapes, unit and errors as in ``value_at_risk``, which it never
    falls below.
    """
    columns = _columns(losses)
    mass = tail_mass(columns.shape[1], confidence)
    return _shaped(tail_expected_shortfall(largest(columns, int(mass) + 1), mass), losses)


def value_at_risk_error(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of ``value_at_risk``, in the unit of the losses.

    The number of scenarios beyond the true quantile is binomial with standard deviation d = sqrt(S c (1 -
    c)), so half the distance between the losses d ranks above and d ranks below the estimate is its standard
    error: the asymptotic sqrt(c (1 - c) / S) / f(VaR) (David & Nagaraja 2003, section 10.2) with the density
    f read off those order statistics. Holds for scenarios drawn independently.
    """
    columns = _columns(losses)
    top = largest(columns, tail_depth(columns.shape[1], confidence))
    return _shaped(tail_value_at_risk_error(top, columns.shape[1], confidence), losses)


def expected_shortfall_error(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of ``expected_shortfall``, in the unit of the losses.

    sqrt((variance in the tail + c (ES - VaR)^2) / m): Manistre & Hancock 2005, equation for the CTE.
    Holds for scenarios drawn independently.
    """
    columns = _columns(losses)
    mass = tail_mass(columns.shape[1], confidence)
    return _shaped(tail_expected_shortfall_error(largest(columns, int(mass) + 1), mass, confidence), losses)


def gaussian_value_at_risk(sigma: float | NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the value-at-risk of a normal loss with mean zero: sigma times the normal quantile."""
    return np.asarray(np.asarray(sigma, dtype=np.float64) * float(ndtri(confidence)))


def gaussian_expected_shortfall(sigma: float | NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the expected shortfall of a normal loss with mean zero: sigma * density(quantile) / (1 - c)."""
    multiple = _normal_density(float(ndtri(confidence))) / (1.0 - confidence)
    return np.asarray(np.asarray(sigma, dtype=np.float64) * multiple)


def _normal_density(quantile: float) -> float:
    # Not from scipy.stats: loading that takes half a second in every process.
    return float(np.exp(-quantile * quantile / 2.0) / np.sqrt(2.0 * np.pi))


def tail_weights(
    losses: NDArray[np.float64], var: NDArray[np.float64], confidence: float
) -> NDArray[np.float64]:
    """Return each scenario's weight in the tail, of the shape of the losses; they sum to the tail mass.

    One above the value-at-risk; what is left of m is shared equally among the scenarios that lose exactly the
    value-at-risk; zero below. ``var`` is ``value_at_risk(losses, confidence)``, of shape () or (portfolios,).
    Raises ValueError where it is not, since then the weights could not sum to m.
    """
    losses = np.asarray(losses, dtype=np.float64)
    above = losses > var
    tied = losses == var
    share = edge_share(tail_mass(losses.shape[0], confidence), above.sum(axis=0), tied.sum(axis=0))
    return np.asarray(above + tied * share, dtype=np.float64)


def euler_expected_shortfall(
    scenario_asset_losses: NDArray[np.float64],
    weights: NDArray[np.float64],
    positions: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the contribution of each asset to the expected shortfall; they add up to it (Tasche 1999, 2000).

    ``scenario_asset_losses`` (scenarios, assets) are the losses of one unit of each asset, ``weights``
    (scenarios,) or (scenarios, portfolios) come from ``tail_weights``, and ``positions`` (assets,) or
    (portfolios, assets) are the units held, all ones by default. The result is of shape (assets,) or
    (portfolios, assets), in the unit of loss times position; a hedge contributes a negative amount.
    """
    weights = np.asarray(weights, dtype=np.float64)
    mean_losses = (weights.T @ scenario_asset_losses) / weights.sum(axis=0)[..., np.newaxis]
    return np.asarray(mean_losses if positions is None else positions * mean_losses)


def edge_share(mass: float, above: NDArray[np.int64], tied: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the weight of each scenario that loses exactly the value-at-risk.

    ``above`` scenarios lose more and ``tied`` lose exactly as much, one number a portfolio.
    Raises ValueError where these numbers cannot belong to the value-at-risk with this tail mass.
    """
    if bool(np.any(tied < 1)) or bool(np.any(above > mass)) or bool(np.any(above + tied < mass)):
        raise ValueError("var is not the value-at-risk of these losses at this confidence")
    return np.asarray((mass - above) / tied, dtype=np.float64)


def tail_depth(count: int, confidence: float) -> int:
    """Return how many of the largest losses the measures at this confidence and their errors need."""
    mass = tail_mass(count, confidence)
    return min(count, math.floor(mass + _rank_deviation(count, confidence)) + 1)


def tail_value_at_risk(top: NDArray[np.float64], mass: float) -> NDArray[np.float64]:
    """Return the value-at-risk out of the largest losses, of shape (portfolios, kept), largest first."""
    return np.asarray(top[:, int(mass)])


def tail_expected_shortfall(top: NDArray[np.float64], mass: float) -> NDArray[np.float64]:
    """Return the expected shortfall out of the largest losses, of shape (portfolios, kept), largest first."""
    whole = int(mass)
    # The sum runs along contiguous rows sorted by size: the same bits for one portfolio or a thousand.
    total = np.ascontiguousarray(top[:, :whole]).sum(axis=1)
    edge = top[:, whole]
    shortfall = (total + (mass - whole) * edge) / mass
    # Rounding may leave the mean of equal losses a last bit below or above each of them.
    return np.asarray(np.clip(shortfall, edge, top[:, 0]))


def tail_value_at_risk_error(top: NDArray[np.float64], count: int, confidence: float) -> NDArray[np.float64]:
    """Return the standard error of ``tail_value_at_risk``; top must hold ``tail_depth`` losses each."""
    mass = tail_mass(count, confidence)
    deviation = _rank_deviation(count, confidence)
    upper = max(math.floor(mass - deviation), 0)
    lower = min(math.floor(mass + deviation), count - 1)
    # In a tail thinner than one deviation the ranks above run out: scale by the ranks really spanned.
    ranks = max(lower - upper, 1)
    return np.asarray((top[:, upper] - top[:, lower]) * (deviation / ranks))


def tail_expected_shortfall_error(
    top: NDArray[np.float64], mass: float, confidence: float
) -> NDArray[np.float64]:
    """Return the standard error of ``tail_expected_shortfall``, arguments as there."""
    whole = int(mass)
    edge = top[:, whole]
    shortfall = tail_expected_shortfall(top, mass)
    deviations = np.ascontiguousarray(top[:, :whole] - shortfall[:, np.newaxis])
    edge_part = (mass - whole) * (edge - shortfall) ** 2
    variance = ((deviations * deviations).sum(axis=1) + edge_part) / mass
    return np.asarray(np.sqrt((variance + confidence * (shortfall - edge) ** 2) / mass))


def largest(columns: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    """Return the largest of losses (portfolios, scenarios), largest first, of shape (portfolios, kept)."""
    count = columns.shape[1]
    kept = min(kept, count)
    if kept < count:
        columns = np.partition(columns, count - kept, axis=1)[:, count - kept :]
    return largest_first(columns)


def largest_first(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of shape (portfolios, kept) sorted along each row, largest first, contiguous."""
    return np.ascontiguousarray(np.sort(values, axis=1)[:, ::-1])


def _rank_deviation(count: int, confidence: float) -> float:
    return math.sqrt(count * confidence * (1.0 - confidence))


def _columns(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    losses = np.asarray(losses, dtype=np.float64)
    if losses.ndim not in (1, 2) or losses.shape[0] == 0:
        raise ValueError(f"losses must be (scenarios,) or (scenarios, portfolios), not {losses.shape}")
    if not bool(np.all(np.isfinite(losses))):
        raise ValueError("every loss must be finite: leave out what has no price")
    return np.ascontiguousarray(losses.reshape(losses.shape[0], -1).T)


def _shaped(values: NDArray[np.float64], losses: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[0] if np.ndim(losses) == 1 else values
