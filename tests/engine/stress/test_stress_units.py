import math
import re

import pytest

from acceleray.stages.stress.units import parse_share, parse_shock


@pytest.mark.parametrize(
    ("text", "factor", "points", "level", "change"),
    [
        ("-20 %", "equity", False, 3000.0, math.log(0.8)),
        ("+100%", "oil", False, 50.0, math.log(2.0)),
        ("to 72 %", "volatility", False, 20.0, math.log(3.6)),
        ("to 40 USD", "oil", False, 80.0, math.log(0.5)),
        ("to 1500 index", "equity", False, 3000.0, math.log(0.5)),
        ("to 60 %", "my_factor", False, 30.0, math.log(2.0)),
        ("+2 pp", "credit", True, 1.0, 2.0),
        ("+150 bp", "credit", True, 1.0, 1.5),
        ("\N{MINUS SIGN}50 bp", "credit", True, 1.0, -0.5),
        ("to 3.4 pp", "credit", True, 1.1, 2.3),
        ("to 340 bp", "credit", True, 1.1, 2.3),
    ],
)
def test_a_shock_is_a_log_change_of_a_level_and_a_difference_of_points(
    text: str, factor: str, points: bool, level: float, change: float
) -> None:
    assert parse_shock(text, factor, points).change(points, level) == pytest.approx(change, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "factor", "points", "says"),
    [
        (-20, "equity", False, "'-20' has no unit; write for example '-20 %'"),
        ("-0.2", "equity", False, "'-0.2' has no unit"),
        ("20 %", "equity", False, "'20 %' needs a sign"),
        ("+2 pp", "equity", False, "'+2 pp' does not fit equity; use a change in %"),
        ("+150 bp", "volatility", False, "does not fit volatility"),
        ("-20 %", "credit", True, "does not fit credit, measured in percentage points; use pp or bp"),
        ("to 3 %", "credit", True, "does not fit credit, measured in percentage points"),
        ("to 60 %", "equity", False, "a level of it is in index"),
        ("to 60 pp", "volatility", False, "a level of it is in %"),
        ("to 0 USD", "oil", False, "always above zero"),
        ("-100 %", "equity", False, "cannot lose 100 % or more"),
        ("a lot", "equity", False, "'a lot' is not a shock"),
        ("-20 % or so", "equity", False, "is not a shock"),
        ("-2,5 %", "equity", False, "is not a shock"),
        ("-nan %", "equity", False, "is not a shock"),
        ("", "equity", False, "is not a shock"),
        (True, "equity", False, "is not a shock"),
    ],
)
def test_a_shock_that_cannot_be_meant_is_refused_with_the_way_to_write_it(
    text: object, factor: str, points: bool, says: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_shock(text, factor, points)


def test_a_loss_is_a_share_of_the_portfolio() -> None:
    assert parse_share("10 %") == 0.1
    assert parse_share("2.5%") == 0.025


@pytest.mark.parametrize("text", ["10", 10, "10 pp", "-10 %", "to 10 %", "0 %", "100 %", "much"])
def test_a_loss_that_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"not a loss|must lie above"):
        parse_share(text)
