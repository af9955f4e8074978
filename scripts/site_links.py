"""Links of a collected page: to where the page they mean has gone, checked one by one."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from pathlib import Path

from render import ROOT

# Set by the workflow that publishes; without it a file outside the site is named and not linked.
REPOSITORY = os.environ.get("SITE_REPOSITORY", "").rstrip("/")
FENCE = re.compile(r"(^```.*?^```[^\n]*$)", re.DOTALL | re.MULTILINE)
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|!?\[[^\]]*\]\([^)]*\))+)\]\(([^)\s]+)\)")


class Links:
    """Rewrites links of kept files to links between pages, and notes each that leads nowhere."""

    def __init__(self, places: dict[str, str], source: Path) -> None:
        """`places` are pages of the site by the file that keeps them; images are copied below `source`."""
        self.places = places
        self.wrong: list[str] = []
        self._source = source

    def rewritten(self, kept: str, page: str, text: str) -> str:
        """Return the text of a kept file with the links that its page needs."""
        parts = FENCE.split(text)
        for index in range(0, len(parts), 2):
            part = IMAGE.sub(lambda found: self._image(kept, page, found), parts[index])
            parts[index] = LINK.sub(lambda found: self._link(kept, page, found), part)
        return "".join(parts)

    def _image(self, kept: str, page: str, found: re.Match[str]) -> str:
        alternative, target = found.groups()
        path = _resolved(kept, target)
        if not alternative.strip():
            self.wrong.append(f"{kept}: image {target} has no text for readers who cannot see it")
        if not (ROOT / path).is_file():
            self.wrong.append(f"{kept}: there is no image {target}")
            return found[0]
        copy = f"images/{path.replace('/', '-')}"
        (self._source / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, self._source / copy)
        return f"![{alternative}]({_between(page, copy)})"

    def _link(self, kept: str, page: str, found: re.Match[str]) -> str:
        text, target = found.groups()
        # An image inside has been seen to already: its link is relative to the page.
        if "://" in target or target.startswith(("#", "mailto:")):
            return found[0]
        name, _, anchor = target.partition("#")
        path = _resolved(kept, name)
        to = self.places.get(path) or self.places.get(path.replace("reference/", "template/", 1))
        if to:
            return f"[{text}]({_between(page, to)}.md{'#' + anchor if anchor else ''})"
        if not (ROOT / path).exists():
            self.wrong.append(f"{kept}: the link to {target} leads nowhere")
        if REPOSITORY:
            return f"[{text}]({REPOSITORY}/blob/main/{path})"
        return text if "`" in text or "![" in text else f"{text} (`{path}`)"


def _resolved(kept: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(kept), target))


def _between(page: str, to: str) -> str:
    return posixpath.relpath(to, posixpath.dirname(page) or ".")
