"""The shell of `portfolio what-if --shell`: a line is a question, and the next one takes no longer."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from acceleray.cli.text import tell
from acceleray.counts import counted
from acceleray.errors import PortfolioError

if TYPE_CHECKING:
    from acceleray.settings import Settings
    from acceleray.stages.what_if.answer import Answer
    from acceleray.stages.what_if.session import RiskSession
    from acceleray.stages.what_if.trades import Trade

PROMPT = "what if> "
HELP = """\
AAPL -10000            sell 10,000 units
AAPL -5% XOM 2%        shares of NAV; several trades in one line are one question
AAPL -50000USD         money, in the currency of the portfolio
trades FILE            ask about the trades of a CSV file
hedges XOM,WMT         look for the best amount of each from now on; `hedges none` for no more
instruments            what can be traded
keep                   write the last answer to gold.what_if
quit                   or Ctrl-D"""


class Shell:
    """Reads questions from standard input, and answers them."""

    def __init__(
        self, settings: Settings, risk: RiskSession, hedges: tuple[str, ...], last: Answer | None
    ) -> None:
        """Ask an open session; `hedges` count until others are named."""
        self._settings, self._risk, self._hedges, self._last = settings, risk, hedges, last

    def loop(self) -> None:
        """Answer line by line until the input ends."""
        interactive = sys.stdin.isatty()
        if interactive:
            # With it, input() has a history and arrow keys.
            with suppress(ImportError):
                import readline  # noqa: F401
            count = counted(len(self._risk.instruments), "instrument")
            print(f"{count}; `help` lists the questions.", file=sys.stderr)
        while True:
            try:
                line = input(PROMPT) if interactive else sys.stdin.readline()
            except EOFError:
                print(file=sys.stderr)
                return
            if not line and not interactive:
                return
            words = line.split()
            if words and words[0] in ("quit", "exit"):
                return
            if not words:
                continue
            try:
                tell(self.answered(words))
            except PortfolioError as error:
                print(f"Error: {error}", file=sys.stderr, flush=True)

    def answered(self, words: list[str]) -> list[str]:
        """Return the lines that answer one line.

        Raises:
            PortfolioError: it is invalid.
        """
        match words:
            case ["help" | "?"]:
                return HELP.splitlines()
            case ["instruments"]:
                return [", ".join(self._risk.instruments)]
            case ["hedges", *names]:
                return [self._hedged(" ".join(names))]
            case ["keep"]:
                return [self._kept()]
            case ["trades", *path] if path:
                from acceleray.stages.what_if.trades import read_trades

                return self._asked(read_trades(Path(" ".join(path)).expanduser()))
            case _:
                return self._asked(typed_trades(words, self._risk.portfolio.currency))

    def _asked(self, trades: tuple[Trade, ...]) -> list[str]:
        self._last = self._risk.ask(trades, self._hedges)
        return self._last.text()

    def _hedged(self, text: str) -> str:
        from acceleray.stages.what_if.trades import known

        found = () if text == "none" else tuple(name for name in text.replace(",", " ").split() if name)
        self._hedges = tuple(known(name, self._risk.instruments) for name in found)
        return f"Hedges: {', '.join(self._hedges) or 'none'}."

    def _kept(self) -> str:
        if self._last is None:
            raise PortfolioError("There is no answer to keep yet.")
        from acceleray.stages.what_if.keep import keep

        return f"Kept as {keep(self._settings, self._risk.base, self._last)} in gold.what_if."


def typed_trades(words: list[str], currency: str) -> tuple[Trade, ...]:
    """Return trades from words such as `AAPL -10000 XOM 5%`; a currency behind a number makes it money.

    Raises:
        PortfolioError: a size is missing or is none.
    """
    from acceleray.stages.what_if.trades import trades_of

    if len(words) % 2:
        raise PortfolioError(f"'{words[-1]}' has no size; write it as {words[-1]} -10000, or ask for `help`.")
    quantities: dict[str, float] = {}
    amounts: dict[str, float] = {}
    weights: dict[str, float] = {}
    for name, size in zip(words[::2], words[1::2], strict=True):
        if name in quantities | amounts | weights:
            raise PortfolioError(f"{name} is traded a second time.")
        if size.endswith("%"):
            weights[name] = _number(size[:-1], name) / 100.0
        elif size.upper().endswith(currency):
            amounts[name] = _number(size[: -len(currency)], name)
        else:
            quantities[name] = _number(size, name)
    return trades_of(quantities, amounts, weights)


def _number(text: str, name: str) -> float:
    try:
        return float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise PortfolioError(f"The size of {name} is '{text}'; write -10000, 5% or -50000USD.") from None
