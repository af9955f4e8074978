"""Collect the pages of the site into build/docs/source, from where they are kept and from the code.

Nothing is written twice: docs/site/pages.toml says which file becomes which page. A link to a file that
does not exist, an image without a text and a snippet that no test runs end this with 1.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import site_api
import site_reference
import site_snippets
import site_workloads
from render import ROOT
from site_links import Links

PAGES = ROOT / "docs/site/pages.toml"
SOURCE = ROOT / "build/docs/source"
RENDERED = ROOT / "build/talk/docs"
SLIDES = "tutorials/talk"
EXTRA = ROOT / "build/docs/extra"


@dataclass
class Site:
    """The collected pages, by their path below the site, and their errors."""

    kinds: dict[str, Any]
    links: Links
    wrong: list[str] = field(default_factory=list)

    def write(self, page: str, text: str) -> None:
        """Write one page."""
        path = SOURCE / f"{page}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def listed(kinds: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where each kept page is kept and where it goes: ("docs/answers.md", "reference/questions")."""
    yield "docs/site/index.md", "index"
    for kind, of in kinds.items():
        yield from ((page["from"], f"{kind}/{page['to']}") for page in of["pages"] if "from" in page)
    for path in sorted((ROOT / "docs/decisions").glob("*.md")):
        yield path.relative_to(ROOT).as_posix(), f"explanation/decisions/{path.stem}"


def collect() -> list[str]:
    """Write every page and return what is wrong, a line each."""
    for folder in (SOURCE, EXTRA):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    kinds = tomllib.loads(PAGES.read_text(encoding="utf-8"))
    places = dict(listed(kinds))
    modules = site_api.pages(_linked(places))
    links = places | {site_api.kept(name): f"reference/api/{name}" for name in modules if name != "index"}
    site = Site(kinds, Links(links, SOURCE))
    for kept, page in places.items():
        if not (ROOT / kept).exists():
            site.wrong.append(f"{PAGES.relative_to(ROOT)}: {kept} does not exist")
            continue
        text = (ROOT / kept).read_text(encoding="utf-8")
        site.wrong += site_snippets.unchecked(kept, text)
        more = _kinds(kinds) if page == "index" else _slides() if page == SLIDES else ""
        site.write(page, site.links.rewritten(kept, page, text) + more)
    _write_generated(site, modules)
    return site.wrong + site.links.wrong


def _linked(places: dict[str, str]) -> set[str]:
    """Return the modules of the engine that pages link to, such as quant/risk.py."""
    texts = ((ROOT / kept).read_text(encoding="utf-8") for kept in places if (ROOT / kept).exists())
    return {name for text in texts for name in re.findall(r"\]\(\.\./acceleray/([\w/]+\.py)\)", text)}


def _write_generated(site: Site, modules: dict[str, str]) -> None:
    site.write("reference/settings", site_reference.settings())
    site.write("reference/commands", site_reference.commands())
    site.write("reference/transcripts", site_reference.transcripts())
    for page, text in modules.items():
        site.write(f"reference/api/{page}", text)
    for page, text in site_workloads.pages(EXTRA).items():
        site.write(f"reference/workloads/{page}", text)
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    entries = "\n".join(path.stem for path in decisions)
    site.write(
        "explanation/decisions/index", f"# Decisions\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
    )
    for kind, of in site.kinds.items():
        names = [page["to"] for page in of["pages"]]
        body = f"# {of['title']}\n\n{of['says']}\n\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names)
        site.write(f"{kind}/index", body + "\n```\n")


def _slides() -> str:
    """Return links to the rendered slides, which come along, or how they are rendered."""
    if not (RENDERED / "talk/slides.html").exists():
        return "\nThis site was built without rendered slides; `make talk` renders them.\n"
    for name in ("talk", "images"):
        shutil.copytree(RENDERED / name, EXTRA / "rendered" / name)
    names = ("slides.html", "slides.pdf", "handout.html", "handout.pdf")
    links = " · ".join(f'<a href="../rendered/talk/{name}">{name}</a>' for name in names)
    return f"\nRendered: {links}\n"


def _kinds(kinds: dict[str, Any]) -> str:
    """Return the end of the first page: the four kinds, for the menu."""
    return "\n```{toctree}\n:hidden:\n\n" + "\n".join(f"{kind}/index" for kind in kinds) + "\n```\n"


def main() -> int:
    """Collect the pages; say what is wrong and return 1 if anything is."""
    wrong = collect()
    for line in wrong:
        print(f"Error: {line}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
