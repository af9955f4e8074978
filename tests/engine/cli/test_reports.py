"""`portfolio reports`: every report of a project, the newest first, with its verdict."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Portfolio = Callable[..., tuple[int, list[str], list[str]]]


def page(folder: Path, name: str, title: str, badge: str, hour: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.html"
    path.write_text(f"<title>{title}</title>\n<h1>x</h1>{badge}", encoding="utf-8")
    os.utime(path, (3600.0 * hour, 3600.0 * hour))
    return path


@pytest.fixture
def written(project: Path) -> Path:
    """Return the folder with three reports, of which the name tells another order than the time."""
    folder = project / "var/reports"
    page(folder, "a-old", "Stress 2022-12-28 · A &amp; B", '<span class="badge failed">Failed</span>', 1)
    page(folder, "z-middle", "Own page", "", 2)
    page(folder, "b new", "Risk &lt;script&gt;", '<span class="badge passed">Passed</span>', 3)
    page(folder / "b new", "DESK", "DESK", "", 4)
    page(folder, "model-document-risk", "Model document", "", 0)
    return folder


def test_the_newest_comes_first_with_its_verdict_and_the_list_links_to_each(
    portfolio: Portfolio, written: Path
) -> None:
    code, out, _ = portfolio("reports")
    assert code == 0
    assert [line.split()[-1] for line in out[1:4]] == ["new.html", "z-middle.html", "a-old.html"]
    assert "Passed" in out[1]
    assert "Failed" in out[3]
    assert out[-1] == f"List: {written / 'index.html'}"
    text = (written / "index.html").read_text("utf-8")
    assert text.index("b%20new.html") < text.index("z-middle.html") < text.index("a-old.html")
    assert '<span class="pill failed">Failed</span>' in text
    assert "A &amp; B" in text
    assert "<script" not in text
    assert "DESK" not in text
    # The list is no report.
    assert len(portfolio("reports")[1]) == len(out)


def test_open_takes_the_newest_and_says_so_where_there_is_no_browser(
    portfolio: Portfolio, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    os.utime(written / "model-document-risk.html", (3600.0 * 9, 3600.0 * 9))
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)) or True)
    assert portfolio("reports", "--open")[:2] == (0, [f"Opened: {written / 'b new.html'}"])
    assert opened == [(written / "b new.html").as_uri()]
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    code, _, err = portfolio("reports", "--open")
    assert (code, err) == (2, [f"Error: No browser was found; open {written / 'b new.html'} manually."])


def test_without_a_report_one_line_says_how_to_make_one(portfolio: Portfolio, project: Path) -> None:
    code, out, err = portfolio("reports")
    assert (code, out) == (2, [])
    assert err == [
        f"Error: There is no report in {project / 'var/reports'} yet; `portfolio run WORKLOAD` writes one."
    ]
