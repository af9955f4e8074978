"""Pages in a browser, as wide as A4 paper less its margins: nothing is cut at the right edge."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.living import PATIENCE_S
from report.invented_desk import desk

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome"),
]
# A4 with margins of 14 mm, at 96 pixels an inch.
PAPER = 688
MEASURED = """<script>addEventListener("load", () => {
  const wide = [...document.querySelectorAll("table, figure, img, p, pre, ul, .notice")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.textContent.trim().slice(0, 60));
  document.body.textContent = "WIDE[" + wide.join("|") + "]";
})</script></body>"""


def wider_than_paper(markup: str, folder: Path) -> str:
    """Return the beginnings of all that reaches beyond the paper, empty if nothing does."""
    # The page forbids scripts of others, and its rules for paper are tried on a screen.
    open_to_scripts = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", markup)
    on_paper = open_to_scripts.replace("@media print", "@media all").replace(
        "@media (max-width", "@media not all and (max-width"
    )
    path = folder / "paper.html"
    path.write_text(on_paper.replace("</body>", MEASURED), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom")
    command = [str(BROWSER), *options, f"--user-data-dir={folder / 'browser'}", f"--window-size={PAPER},1000"]
    command.append(path.as_uri())
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S).stdout
    found = re.search(r"WIDE\[(.*?)\]", said, re.DOTALL)
    assert found, said[-500:]
    return html.unescape(found[1])


@pytest.mark.parametrize("kind", ["page", "stress_page", "calibration_page"])
def test_no_table_of_a_page_is_wider_than_the_paper(
    kind: str, run_rows: Callable[..., Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rows = run_rows() if kind == "calibration_page" else desk(run_rows())
    made = request.getfixturevalue(kind)(rows)
    assert wider_than_paper(made.markup, tmp_path) == ""


def test_a_table_that_is_too_wide_is_named(run_rows: Callable[..., Any], page: Any, tmp_path: Path) -> None:
    made = page(desk(run_rows()))
    wide = f'<table><tr><td style="white-space: nowrap">{"too wide " * 40}</td></tr></table></main>'
    assert wider_than_paper(made.markup.replace("</main>", wide), tmp_path).startswith("too wide")
