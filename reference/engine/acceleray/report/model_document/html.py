"""A model document as an HTML page that needs nothing else."""

from __future__ import annotations

from acceleray.report.model_document.narrative import OWNER, closing, marked, notice
from acceleray.report.model_document.tree import Document, Facts, Grid, Judgement, Picture, Words
from acceleray.report.rendering import render

_KINDS = {Words: "words", Judgement: "judgement", Facts: "facts", Grid: "grid", Picture: "picture"}


def html(document: Document) -> str:
    """Return the document as HTML; the same document gives the same bytes."""
    return render(
        "model_document.html.j2",
        document=document,
        owner=OWNER,
        notice=notice(document),
        closing=closing(document),
        marked=marked,
        kind_of=lambda part: _KINDS[type(part)],
    )
