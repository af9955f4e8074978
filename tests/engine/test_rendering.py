"""A rendered notebook: its markdown, its code and what each cell showed, in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.rendering import cells, rendered

SOURCE = """# Databricks notebook source
# MAGIC %md
# MAGIC # Two **numbers**
# MAGIC
# MAGIC And what they make.

# COMMAND ----------

from acceleray.runtime.notebook import parameters
from acceleray.runtime.showing import show_table

given = int(parameters(given="1")["given"])

# COMMAND ----------

print("before <it>")
show_table(("a", "b"), [(given, 0.123456)])
print("after")
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_markdown_code_and_output_stand_in_order(tmp_path: Path) -> None:
    page, failed = rendered(written(tmp_path / "n.py", SOURCE), {"given": "41"})
    assert failed is None
    parts = (
        "<h1>Two <strong>numbers</strong></h1>",
        "show_table((&quot;a&quot;, &quot;b&quot;)",
        "before &lt;it&gt;",
        "<td>41</td><td>0.1235</td>",
        "after",
    )
    places = [page.index(part) for part in parts[:2]]
    places += [page.rindex(part) for part in parts[2:]]
    assert places == sorted(places)
    assert "MAGIC" not in page


def test_a_cell_that_raises_is_shown_with_its_line_and_nothing_after_it_runs(tmp_path: Path) -> None:
    text = "\n\n# COMMAND ----------\n\n".join((SOURCE, "raise ValueError('wrong')", "print('never')"))
    page, failed = rendered(written(tmp_path / "n.py", text), {})
    assert isinstance(failed, ValueError)
    line = text.splitlines().index("raise ValueError('wrong')") + 1
    assert f"line {line}" in page
    assert "<pre class='out error'>" in page
    assert "never" not in page


def test_what_is_no_notebook_is_refused() -> None:
    with pytest.raises(PortfolioError, match="This is not a notebook"):
        cells("import os\n")
