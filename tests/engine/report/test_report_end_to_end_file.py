from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.end_to_end.page import PAGE
from acceleray.settings import Settings


def test_without_a_portfolio_there_is_one_plain_line_and_the_old_file_stays(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path
) -> None:
    rows = run_rows()
    rows[t.PORTFOLIOS].clear()
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")
    with pytest.raises(PortfolioError, match="no portfolio to report on"):
        PAGE.write(rows.read, page_settings, path)
    assert path.read_text(encoding="utf-8") == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_write_that_breaks_half_way_leaves_the_old_file_and_no_other(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        PAGE.write(run_rows().read, page_settings, path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "older"
