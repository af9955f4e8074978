"""Sentences that stand on every model document, in HTML and in Markdown alike."""

from __future__ import annotations

import re

from acceleray.report.formats import plural
from acceleray.report.model_document.tree import Document

OWNER = "To be filled in by the owner:"
_STANDARDS = "SR 26-2 (OCC Bulletin 2026-13, which rescinded SR 11-7), PRA SS1/23 or a standard of the house"


def notice(document: Document) -> str:
    """Return what the page is and is not."""
    return (
        f"Facts for a validator who works under the principles of {_STANDARDS}. It is not a validation, and"
        " claims no conformity with any of them. Each number names the table and the column it came from."
        f" Judgements are the owner's: {plural(document.judgements, 'place')} marked"
        f" \u201c{OWNER}\u201d."
    )


def closing(document: Document) -> str:
    """Return the last line."""
    return (
        f"Written by `portfolio model-document {document.kind}`. Look a number up with"
        " `portfolio show TABLE --where \"run_id = '...'\"`; `portfolio lineage TABLE` follows it back."
    )


def marked(text: str) -> list[tuple[str, bool]]:
    """Return a text in pieces, and of each whether it stood between backticks: a command or a name."""
    pieces = re.split(r"`([^`]+)`", text)
    return [(piece, place % 2 == 1) for place, piece in enumerate(pieces) if piece]
