"""Whether quantity, market value and weight of a row, and the NAV of its portfolio, can all be meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.distinct import distinct
from acceleray.stages.book.reading.portfolios import Portfolio
from acceleray.stages.book.reading.positions import place_of

# A tenth of a per cent of NAV: what fees, accruals and closes of another hour make of a small weight.
_AGREE = 1e-3
# Their market value is a gain or loss, of any sign.
_DERIVED = ("future", "forward", "fx", "option")
_Floats = NDArray[np.float64]


def refuse_disagreeing(
    rows: pa.Table, portfolios: Mapping[str, Portfolio], signed: set[str], tolerance: float
) -> None:
    """Check current positions: signs, zeros, weight against market value, and NAV where weights need it.

    Args:
        rows: positions with the columns of `position_rows`, their instrument_id and its type.
        portfolios: by id.
        signed: instruments whose prices may be negative.
        tolerance: how far a weight may be from its market value over NAV, as a share of it.

    Raises:
        PortfolioError: two of them contradict each other, or a NAV is not above zero and weights need it.
    """
    quantity, value, weight = (_values(rows, name) for name in ("quantity", "market_value", "weight"))
    plain = ~_among(rows, "type", _DERIVED) & ~_among(rows, "instrument_id", sorted(signed))
    pairs: Sequence[tuple[str, _Floats, str, _Floats, NDArray[np.bool_]]] = (
        ("quantity", quantity, "market_value", value, plain),
        ("quantity", quantity, "weight", weight, plain),
        ("market_value", value, "weight", weight, np.full(len(rows), True)),
    )
    for one, mine, other, theirs, where in pairs:
        both = where & ~np.isnan(mine) & ~np.isnan(theirs)
        wrong = both & (np.sign(mine) * np.sign(theirs) < 0)
        # A value of zero may be a small one rounded; nothing of an instrument is worth nothing.
        wrong |= both & plain & (mine == 0.0) & (theirs != 0.0) & (one == "quantity")
        if wrong.any():
            row = int(np.argmax(wrong))
            raise _contradiction(rows, row, one, mine[row], other, theirs[row])
    _refuse_nav(rows, weight, portfolios)
    _refuse_shares(rows, value, weight, portfolios, tolerance)


def _refuse_nav(rows: pa.Table, weight: _Floats, portfolios: Mapping[str, Portfolio]) -> None:
    bad = {name: one.nav for name, one in portfolios.items() if one.nav <= 0.0}
    if not bad:
        return
    wrong = ~np.isnan(weight) & _among(rows, "portfolio_id", sorted(bad))
    if wrong.any():
        row = int(np.argmax(wrong))
        name = rows["portfolio_id"][row].as_py()
        raise PortfolioError(
            f"{portfolios[name].place} has NAV {bad[name]:,g} for portfolio {name}, whose positions are "
            f"weights ({place_of(rows, row)}); weights need a NAV above zero."
        )


def _refuse_shares(
    rows: pa.Table,
    value: _Floats,
    weight: _Floats,
    portfolios: Mapping[str, Portfolio],
    tolerance: float,
) -> None:
    """Compare weights with market values over NAV: the one given, else the one that the rows imply."""
    both = ~np.isnan(value) & ~np.isnan(weight)
    if not both.any():
        return
    at = np.flatnonzero(both)
    weight, value, rows = weight[at], value[at], rows.take(at)
    whose = distinct([rows["portfolio_id"]])
    codes, count = whose.codes, whose.first.size
    known = [portfolios.get(name) for name in rows["portfolio_id"].take(whose.first).to_pylist()]
    given = np.array([one.nav if one else np.nan for one in known])[codes]
    bases = pa.array([one.base_currency if one else "" for one in known]).take(pa.array(codes))
    in_base = np.asarray(pc.or_(pc.equal(bases, rows["currency"]), pc.equal(bases, "")))
    pairs = distinct([rows["portfolio_id"], rows["currency"]])
    in_one = (np.bincount(codes[pairs.first], minlength=count) == 1)[codes]
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = (np.bincount(codes, value * weight, count) / np.bincount(codes, weight**2, count))[codes]
        nav = np.where(np.isfinite(given), given, implied)
        share = value / nav
    comparable = np.where(np.isfinite(given), in_base, in_one) & np.isfinite(share)
    room = np.maximum(_AGREE, tolerance * np.abs(weight)) + np.nan_to_num(_values(rows, "half_unit"))
    wrong = comparable & (np.abs(share - weight) > room)
    if wrong.any():
        row = int(np.argmax(wrong))
        source = "the NAV given" if np.isfinite(given[row]) else "the NAV that its other rows imply"
        raise PortfolioError(
            f"{place_of(rows, row)} has weight {weight[row]:.6g} and market_value "
            f"{value[row]:,.2f}, which is {share[row]:.6g} of {nav[row]:,.2f}, {source}; correct one of them."
        )


def _contradiction(
    rows: pa.Table, row: int, one: str, mine: float, other: str, theirs: float
) -> PortfolioError:
    name = rows["instrument_id"][row].as_py()
    return PortfolioError(
        f"{place_of(rows, row)} has {one} {mine:,g} and {other} {theirs:,g} for {name}, which contradict "
        "each other; correct one of them."
    )


def _values(rows: pa.Table, name: str) -> _Floats:
    return rows[name].to_numpy()


def _among(rows: pa.Table, name: str, texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.asarray(pc.is_in(rows[name], pa.array(texts, pa.string())))
