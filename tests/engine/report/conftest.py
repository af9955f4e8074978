"""What the report's tests share: invented runs, and pages that can be asked what a reader sees."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from acceleray.report.model_document import writing
from acceleray.settings import Settings
from report.invented import invented, quarantine
from report.invented_history import History, history
from report.invented_rows import Rows

TEMPLATE = Path(__file__).parents[3] / "template"


def writer_of(page: str) -> Callable[..., Path]:
    """Return what writes a page of `acceleray.report`, by the name of its room."""
    write: Callable[..., Path] = import_module(f"acceleray.report.{page}.page").PAGE.write
    return write


def words_of(markup: str) -> str:
    """Return what a reader sees: no tags, no style, spaces collapsed."""
    body = re.sub(r"<style>.*?</style>", " ", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@dataclass(frozen=True)
class Page:
    """A written report."""

    markup: str

    @property
    def text(self) -> str:
        """Return the words of the page."""
        return words_of(self.markup)

    @property
    def drawings(self) -> list[str]:
        """Return the SVG text of every picture."""
        found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", self.markup)
        return [base64.b64decode(one).decode("utf-8") for one in found]

    def row(self, *starts: str) -> list[str]:
        """Return the cells of the first table row that starts with these cells."""
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", self.markup, flags=re.DOTALL):
            cells = [
                words_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)
            ]
            if cells[: len(starts)] == list(starts):
                return cells
        raise AssertionError(f"no row starts with {starts}")


@pytest.fixture
def run_rows() -> Callable[..., Rows]:
    """Return a function that invents the rows of a run."""
    return lambda names=("AAA", "BBB", "CCC"), **more: invented(list(names), **more)


@pytest.fixture
def move_to_quarantine() -> Callable[..., None]:
    """Return a function that quarantines one price of a run."""
    return quarantine


@pytest.fixture
def page_settings() -> Settings:
    """Return settings of a customer whose name needs more than ASCII."""
    return Settings.model_validate(
        {
            "project": {"name": "Risikosicht", "customer": "Müller & Søn Kapitalförvaltning 東京"},
            "market_data": {"source": "csv", "path": "prices.csv"},
            # Where the stress file of a new project is, which names the crises.
            "project_dir": TEMPLATE,
        }
    )


@pytest.fixture
def drawn_page(tmp_path: Path, page_settings: Settings) -> Callable[..., Page]:
    """Return a function that writes the report of a run, figures and all, and returns the page."""

    def make(
        rows: Rows, settings: Settings = page_settings, writer: Callable[..., Path] | None = None
    ) -> Page:
        write = writer or writer_of("end_to_end")
        path = write(rows.read, settings, tmp_path / "out" / "report.html")
        return Page(path.read_text(encoding="utf-8"))

    return make


@pytest.fixture
def no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pictures empty."""
    monkeypatch.setattr("acceleray.report.canvas._svg", lambda *_: "data:image/svg+xml;base64,")


@pytest.fixture
def page(drawn_page: Callable[..., Page], no_drawing: None) -> Callable[..., Page]:
    """Return the same with empty pictures, for tests of words and numbers: drawing is what takes time."""
    return drawn_page


@pytest.fixture
def calibration_page(page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that writes the page of the calibration, with empty pictures."""
    return partial(page, writer=writer_of("calibration"))


@pytest.fixture
def stress_page(page: Callable[..., Page]) -> Callable[..., Page]:
    """Return a function that writes the page of the stress test, with empty pictures."""
    return partial(page, writer=writer_of("stress"))


@pytest.fixture
def runs(run_rows: Callable[..., Rows]) -> History:
    """Return two runs that made a risk model, r-1 before r-2."""
    return history(run_rows(), run_rows())


@pytest.fixture
def written(tmp_path: Path, page_settings: Settings) -> Callable[..., tuple[Page, str]]:
    """Return a function that writes a model document and returns page and Markdown."""

    def make(kept: History, kind: Any = "risk", run_id: str = "r-2") -> tuple[Page, str]:
        html, text = writing.write(kept, kind, run_id, page_settings, tmp_path / "out")
        return Page(html.read_text(encoding="utf-8")), text.read_text(encoding="utf-8")

    return make
