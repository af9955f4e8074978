"""A book as it was received, until it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from acceleray.stages.book.holdings import Holdings, Received
from acceleray.stages.book.volumes import Volumes


@dataclass
class Incoming:
    """Contents of the book as received; `received` is None for a simulated one, `volumes` without any.

    `examined` has the holdings that `examine_book` found good, by as-of date and instruments; `accepted` is
    the digest of a book that `accept_book` took: what was received is then given up.
    """

    origin: str
    received: Received | None = None
    volumes: Volumes | None = None
    examined: dict[tuple[date, tuple[str, ...]], Holdings] = field(default_factory=dict, compare=False)
    accepted: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Return what belongs to a run's identity besides its settings: all that was received."""
        digest = self.accepted if self.received is None else self.received.digest
        received = (digest,) if digest else ()
        return received if self.volumes is None else (*received, self.volumes.digest)

    def give_up(self) -> None:
        """Keep the digest alone: of a million positions, rows as received are half a gigabyte."""
        self.accepted = "" if self.received is None else self.received.digest
        self.received = None
        self.examined.clear()
