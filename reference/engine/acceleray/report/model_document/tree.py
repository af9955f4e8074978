"""Parts of a model document, before it is written as HTML or Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acceleray.report.canvas import Drawing


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Judgement:
    """A judgement outside the tables: the page asks the owner of the model to write it."""

    asks: str


@dataclass(frozen=True)
class Fact:
    """One value, and the table and the column that it came from."""

    what: str
    value: str
    source: str


@dataclass(frozen=True)
class Facts:
    """Facts one below the other."""

    rows: tuple[Fact, ...]


@dataclass(frozen=True)
class Head:
    """Head of a column: what it is, the table and column it came from, whether it has numbers or names."""

    what: str
    source: str = ""
    number: bool = False
    names: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: a caption, heads, and cells as text; an `address` makes the last cell of a row a link."""

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    addresses: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """Return the table that every column with a source came from; empty if they are of several."""
        found = {".".join(head.source.split(".")[:2]) for head in self.heads if head.source}
        return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True)
class Picture:
    """A figure; in Markdown only its caption stands, since the numbers are in the tables."""

    drawing: Drawing
    alternative: str
    caption: str


Part = Words | Judgement | Facts | Grid | Picture


@dataclass(frozen=True)
class Section:
    """One section: where a link to it goes, its title, and its parts."""

    anchor: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Document:
    """One model document.

    Attributes:
        kind: `risk` or `signal`.
        title: of the page.
        who: customer and project.
        promoted: whether the gate promoted the model.
        decision: what the gate decided, in a word or two; it comes first.
        reason: why, in words.
        identity: of the run.
        sections: in order.
    """

    kind: str
    title: str
    who: str
    promoted: bool
    decision: str
    reason: str
    identity: tuple[Fact, ...]
    sections: tuple[Section, ...]

    @property
    def judgements(self) -> int:
        """Return how many judgements the owner has to fill in."""
        return sum(isinstance(part, Judgement) for part in self.parts())

    def parts(self) -> Iterator[Part]:
        """Yield every part of every section."""
        for section in self.sections:
            yield from section.parts
