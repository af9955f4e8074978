"""Which portfolios stand still whatever prices do: those that are given as weights, and wholes of them."""

from __future__ import annotations

from book.invented import portfolios, positions, valued


def test_a_portfolio_of_weights_is_told_from_one_that_moves_with_prices() -> None:
    of = portfolios(
        {"portfolio_id": "DESK"},
        {"portfolio_id": "P", "nav": 1e6},
        {"portfolio_id": "WHOLE"},
        {"portfolio_id": "STATED", "parent_id": "DESK", "nav": 1e6},
        {"portfolio_id": "MOVING", "parent_id": "WHOLE"},
        {"portfolio_id": "STILL", "parent_id": "WHOLE", "nav": 1e6},
    )
    book = positions(
        {"portfolio_id": "P", "instrument_id": "AAA", "weight": 0.5},
        {"portfolio_id": "STATED", "instrument_id": "AAA", "weight": 0.5},
        {"portfolio_id": "MOVING", "instrument_id": "AAA", "quantity": 5.0},
        {"portfolio_id": "STILL", "instrument_id": "BBB", "weight": 0.5},
    )
    found = valued(book, of)
    stated = {name for name, each in zip(of.ids, found.stated, strict=True) if each}
    # A desk stands still with its parts, and moves if one of them does.
    assert stated == {"DESK", "P", "STATED", "STILL"}
