"""The page: data, sentences and figures poured into one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from acceleray.extend import Section
from acceleray.report import formats, listing, notices, price_findings
from acceleray.report.desk import overview, overview_figure, pages
from acceleray.report.desk.order import file_name
from acceleray.report.downloads import with_downloads
from acceleray.report.own_sections import written
from acceleray.report.rendering import render, save
from acceleray.report.rows import Reads
from acceleray.runtime.run import Run
from acceleray.settings import Settings


@dataclass(frozen=True)
class Page:
    """The page of one workload, made of the rows of one run.

    `read` is as `acceleray.report.rows.Reads` says; `more` is whatever else `fill` asks for.

    Attributes:
        template: name of a file in `templates/`.
        sections: anchor and title of each section, in order.
        fill: from `read`, settings and `more` to what the template names.
        calibrated: whether its numbers rest on a calibration, whose proxies are then named first.
        desk: whether it begins with the overview of all portfolios, and each has a separate page.
        documents: from a run that has been recorded to the documents of the models it made, written.
    """

    template: str
    sections: tuple[tuple[str, str], ...]
    fill: Callable[..., dict[str, Any]]
    calibrated: bool = False
    desk: bool = False
    documents: Callable[[Run], Sequence[Path]] | None = None

    def html(
        self, read: Reads, settings: Settings, own: Sequence[Section] = (), stem: str = "", **more: Any
    ) -> str:
        """Return the page about the run whose rows `read` gives: what was left out and its findings first.

        A project's own sections come before the last. `stem` is the name of its file without the ending:
        that of the folder with the pages of portfolios, and the beginning of the names of downloads.

        Raises:
            PortfolioError: the run has nothing that the page is about, or an own section cannot be written.
        """
        added = written(own, read)
        links = ((section.anchor, section.title) for section in added)
        first = [("overview", "Overview")] if self.desk else []
        first.append((price_findings.ANCHOR, price_findings.TITLE))
        sections = (*first, *self.sections[:-1], *links, *self.sections[-1:])
        with formats.in_units_of(settings.market_data.unit):
            filled = self.fill(read, settings, **more)
            found = price_findings.gather(read, self.calibrated)
            if self.desk:
                filled |= _overview(read, settings, stem)
            page = render(
                self.template,
                sections=sections,
                own_sections=added,
                price_findings=found,
                notices=notices.gather(read),
                **filled,
            )
        return with_downloads(page, stem or self.template.partition(".")[0])

    def write(
        self, read: Reads, settings: Settings, path: Path, own: Sequence[Section] = (), **more: Any
    ) -> Path:
        """Write the page to `path`, replacing an older file there in one step, and return the path.

        The list of the reports next to it is written again.

        Raises:
            PortfolioError: the run has nothing that the page is about, or an own section cannot be written.
        """
        written = save(self.html(read, settings, own, path.stem, **more), path)
        if self.desk:
            folder = folder_of(path)
            with formats.in_units_of(settings.market_data.unit):
                found = overview.gather(read, settings, _address(path.stem))
                for name, page in pages.pages(read, settings, found, path.name):
                    save(page, folder / name)
        listing.write(path.parent)
        return written


def folder_of(path: Path) -> Path:
    """Return the folder with the pages of portfolios that belong to the page at `path`."""
    return path.with_suffix("")


def _address(stem: str) -> Callable[[str], str]:
    return lambda portfolio_id: f"{quote(stem)}/{file_name(portfolio_id)}"


def _overview(read: Reads, settings: Settings, stem: str) -> dict[str, Any]:
    found = overview.gather(read, settings, _address(stem)) if stem else overview.gather(read, settings)
    return {
        "overview": found,
        "overview_figure": overview_figure.drawn(found),
        "signed": overview.signed,
        "sorting": True,
    }
