"""What-if as a person types it: what is refused before anything starts, and the shell."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray.cli.what_if_shell import Shell
from acceleray.errors import PortfolioError
from what_if.test_session import SETTINGS, session

Portfolio = Callable[..., tuple[int, list[str], list[str]]]


@pytest.mark.parametrize(
    ("arguments", "text", "line"),
    [
        (["--hedges", ","], "", "No run has simulated a book yet; `portfolio run risk_stress_testing` does"),
        (
            ["trades.csv"],
            "instrument_id,weight\nAAPL,0.1\n",
            "No run has simulated a book yet; `portfolio run",
        ),
        (["trades.csv"], "", "trades.csv is empty; its first line is instrument_id,quantity"),
        (["none.csv"], "", "none.csv cannot be read: No such file or directory."),
        (
            ["trades.csv"],
            "instrument_id,weight\n" + "".join(f"I{number},0.1\n" for number in range(21)),
            "21 trades exceed what_if.maximum_trades = 20; ask about fewer, or raise it.",
        ),
        (
            ["--hedges", ",".join("ABCDEFGHIJKLMNOPQRSTU")],
            "",
            "21 hedges exceed what_if.maximum_hedges",
        ),
        ([], "", "Name a file of trades, or --hedges, or open a session with --shell."),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_exit_code_2(
    project: Path, portfolio: Portfolio, arguments: list[str], text: str, line: str
) -> None:
    (project / "trades.csv").write_text(text)
    code, out, err = portfolio("what-if", *arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith("Error: ")
    assert line in err[0]


def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *lines: str
) -> tuple[str, str]:
    """Return what a shell over an invented book prints on output and errors."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    Shell(SETTINGS, session(), (), None).loop()
    said = capsys.readouterr()
    return said.out, said.err


def test_a_line_is_a_question_and_a_wrong_one_leaves_the_shell_open(monkeypatch, capsys):
    out, err = typed(
        monkeypatch,
        capsys,
        "BBB",
        "",
        "BBB 5000",
        "AAPL 5",
        "hedges INDEX",
        "BBB 2%",
        "hedges none",
        "quit",
        "BBB 1",
    )
    assert err.splitlines() == [
        "Error: 'BBB' has no size; write it as BBB -10000, or ask for `help`.",
        "Error: There is no instrument 'AAPL' in the run; there are AAA, BBB, CALL,"
        " CASH.EUR, CASH.USD, EURUSD, FUT, GONE and 4 more.",
    ]
    assert out.count("Risk, USD") == 2
    assert out.count("Hedges: INDEX.") == out.count("Hedges: none.") == 1
    assert out.count("INDEX") >= 2


def test_the_end_of_the_input_ends_the_shell(monkeypatch, capsys):
    out, err = typed(monkeypatch, capsys, "help", "instruments", "keep")
    assert "sell 10,000 units" in out
    assert "AAA, BBB" in out
    assert err == "Error: There is no answer to keep yet.\n"


def test_trades_of_a_file_can_be_asked_in_the_shell(monkeypatch, capsys, tmp_path):
    (tmp_path / "my trades.csv").write_text("instrument_id,quantity\nBBB,5000\n")
    out, err = typed(monkeypatch, capsys, f"trades {tmp_path / 'my trades.csv'}")
    assert err == ""
    assert "BBB" in out


def test_keep_writes_the_last_answer(monkeypatch, capsys):
    kept: list[Any] = []

    def keep(settings: Any, base: Any, answer: Any) -> str:
        if not kept:
            kept.append(answer)
            return "0123456789abcdef"
        raise PortfolioError("A run is at work.")

    monkeypatch.setattr("acceleray.stages.what_if.keep.keep", keep)
    out, err = typed(monkeypatch, capsys, "BBB 5000", "keep", "keep")
    assert out.splitlines()[-1] == "Kept as 0123456789abcdef in gold.what_if."
    assert err == "Error: A run is at work.\n"
    assert [each.instrument_id for each in kept[0].trades] == ["BBB"]
