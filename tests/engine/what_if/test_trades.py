"""Files of trades as people write them, and the line that says what is wrong with one."""

from pathlib import Path

import pytest

from acceleray.cli.what_if_shell import typed_trades
from acceleray.errors import PortfolioError
from acceleray.stages.what_if.trades import Trade, read_trades


def written(folder: Path, text: str) -> Path:
    path = folder / "trades.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "instrument_id,quantity\nAAPL,-10000\nXOM,250\n",
        "\ufeffTicker;Quantity\nAAPL;-10_000\nXOM;250.0\n\n",
        "quantity\tsymbol\tnote\n-10'000\tAAPL\tsell\n250\tXOM\t\n",
    ],
)
def test_names_of_columns_separators_and_digits_as_they_come(tmp_path, text):
    found = read_trades(written(tmp_path, text))
    assert found == (Trade("AAPL", "quantity", -10_000.0), Trade("XOM", "quantity", 250.0))


def test_each_line_says_how_much_in_its_own_way(tmp_path):
    text = "instrument_id,quantity,amount,weight\nA,5,,\nB,,-1e6,\nC,,,0.02\n"
    found = read_trades(written(tmp_path, text))
    assert found == (Trade("A", "quantity", 5.0), Trade("B", "amount", -1e6), Trade("C", "weight", 0.02))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "is empty; its first line is instrument_id,quantity"),
        ("instrument_id,quantity\n", "has a header and no trade; add a line such as AAPL,-10000."),
        ("name,shares\nAAPL,5\n", "has the columns name, shares; it needs instrument_id and one of quantity"),
        (
            "instrument_id,quantity\nAAPL,many\n",
            "line 2: the quantity of AAPL is 'many' and must be a number",
        ),
        ("instrument_id,quantity\n,5\n", "line 2 has no instrument."),
        ("instrument_id,quantity\nAAPL,\n", "line 2: AAPL needs one of quantity, not none."),
        (
            "instrument_id,quantity,weight\nAAPL,5,0.1\n",
            "AAPL needs one of quantity, weight, not quantity and",
        ),
        ("instrument_id,quantity\nAAPL,5\nAAPL,6\n", "line 3: AAPL is traded a second time."),
    ],
)
def test_a_file_that_cannot_be_meant_is_one_line(tmp_path, text, line):
    with pytest.raises(PortfolioError) as error:
        read_trades(written(tmp_path, text))
    assert line in str(error.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(PortfolioError, match=r"none\.csv cannot be read: No such file or directory\."):
        read_trades(tmp_path / "none.csv")


def test_a_line_of_the_shell_is_names_and_sizes():
    found = typed_trades(["AAPL", "-10,000", "XOM", "5%", "WMT", "-50000usd"], "USD")
    assert {each.instrument_id: (each.how, each.size) for each in found} == {
        "AAPL": ("quantity", -10_000.0),
        "XOM": ("weight", 0.05),
        "WMT": ("amount", -50_000.0),
    }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["AAPL"], "'AAPL' has no size; write it as AAPL -10000"),
        (["AAPL", "all"], "The size of AAPL is 'all'; write -10000, 5% or -50000USD."),
        (["AAPL", "1", "AAPL", "2%"], "AAPL is traded a second time."),
    ],
)
def test_a_line_of_the_shell_that_cannot_be_meant_is_one_line(words, line):
    with pytest.raises(PortfolioError) as error:
        typed_trades(words, "USD")
    assert line in str(error.value)
