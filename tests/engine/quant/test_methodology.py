"""docs/methodology.md names functions that exist, and every one of quant/ that cites a source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rendered import ENGINE

PAGE = ENGINE / "docs" / "methodology.md"
LINK = re.compile(r"\[([\w/]+\.py)#(\w+)\]\(([^)]+)\)")
# A year as a citation has it, no date such as 1970-01-01.
CITED = re.compile(r"\b(?:19|20)\d\d\b(?!-)")


def links() -> list[tuple[Path, str]]:
    """Return file and function of every link of the page."""
    found = []
    for shown, name, target in LINK.findall(PAGE.read_text(encoding="utf-8")):
        path = (PAGE.parent / target).resolve()
        rooms = ("quant", "stages/change", "stages/limits")
        ends = tuple(f"acceleray/{room}/{shown}" for room in rooms)
        assert path.as_posix().endswith(ends), f"{shown} is linked to {target}"
        found.append((path, name))
    return found


def defined(path: Path) -> dict[str, str]:
    """Return the docstring of every public function and class of a module, by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


def citing() -> list[tuple[Path, str]]:
    """Return every public function of quant/ whose docstring cites a published source."""
    folder = ENGINE / "acceleray" / "quant"
    return [
        (path, name)
        for path in sorted(folder.rglob("*.py"))
        for name, docstring in defined(path).items()
        if CITED.search(docstring)
    ]


def test_every_function_that_the_page_names_exists() -> None:
    assert len(links()) > 80
    assert [f"{path.name}#{name}" for path, name in links() if name not in defined(path)] == []


@pytest.mark.parametrize(("path", "name"), citing(), ids=lambda value: getattr(value, "stem", value))
def test_a_function_that_cites_a_published_source_is_on_the_page(path: Path, name: str) -> None:
    assert (path, name) in links(), f"add {path.name}#{name} to engine/docs/methodology.md"


def test_a_module_that_cites_a_published_source_is_on_the_page() -> None:
    folder = ENGINE / "acceleray" / "quant"
    named = {path for path, _ in links()}
    cited = {
        path
        for path in folder.rglob("*.py")
        if CITED.search(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    }
    assert len(cited) > 8
    assert sorted(path.name for path in cited - named) == []


def test_a_citation_is_a_year_and_no_date() -> None:
    assert CITED.search("Return the test (Kupiec 1995), chi-squared(1).")
    assert not CITED.search("1970-01-01 was a Thursday")


def test_no_formula_has_what_mathematics_in_markdown_takes_for_a_comment() -> None:
    formulas = re.findall(r"\$([^$]+)\$", PAGE.read_text(encoding="utf-8"))
    assert len(formulas) > 40
    assert [formula for formula in formulas if "%" in formula] == []
