"""A page per workload: its stages, the figures of its report and its notebook, from a real run.

`make docs-run` runs all notebooks of the reference project in build/docs/project; without, pages say so.
"""

from __future__ import annotations

import base64
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from render import ROOT

STOPPED = "class='out error'"
PROJECT = ROOT / "build/docs/project"
FIGURE = re.compile(r"<figure\b.*?</figure>", re.DOTALL)
SOURCE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


def pages(extra: Path) -> dict[str, str]:
    """Return the pages by name, and copy notebooks, reports and figures below `extra`."""
    module: Any = Environment(loader=FileSystemLoader(ROOT / "includes")).get_template("workloads.jinja")
    found = {each["name"]: _page(each, extra) for each in module.make_module({"workloads": []}).WORKLOADS}
    names = "\n".join(found)
    found["index"] = f"# Workloads\n\n```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    return found


def _page(workload: dict[str, Any], extra: Path) -> str:
    name = f"{workload['number']}_{workload['name']}"
    lines = [f"# {workload['title']}", "", workload["summary"], ""]
    lines += [
        f"Stages: {', '.join(workload['stages'])}.",
        "",
        "```",
        f"make run WORKLOAD={workload['name']}",
        "```",
        "",
    ]
    notebook = PROJECT / "var/notebooks" / f"{name}.html"
    if notebook.exists() and STOPPED in notebook.read_text(encoding="utf-8"):
        raise SystemExit(f"{notebook.relative_to(ROOT)} stopped at an error; run `make docs-run` again.")
    if not notebook.exists():
        return "\n".join([*lines, "This site was built without notebooks; `make docs-run` runs them.", ""])
    (extra / "notebooks").mkdir(parents=True, exist_ok=True)
    # Where this run's folder lay says nothing to a reader.
    text = notebook.read_text(encoding="utf-8").replace(f"{PROJECT}/", "")
    (extra / "notebooks" / notebook.name).write_text(text, encoding="utf-8")
    lines += [f'<a href="../../notebooks/{name}.html">The notebook with its output, from a real run</a>', ""]
    report = _report(notebook)
    if report is None:
        return "\n".join(lines)
    (extra / "reports").mkdir(exist_ok=True)
    shutil.copy2(report, extra / "reports" / f"{workload['name']}.html")
    lines += [
        f'<a href="../../reports/{workload["name"]}.html">The whole report of that run</a>',
        "",
        "## Figures",
        "",
    ]
    return "\n".join(lines + _figures(report, workload["name"], extra / "figures"))


def _report(notebook: Path) -> Path | None:
    """Return the report that a notebook ended with, as its output names it."""
    named = re.findall(r"([\w-]+\.html)", unescape(notebook.read_text(encoding="utf-8")))
    found = [PROJECT / "var/reports" / each for each in named if (PROJECT / "var/reports" / each).is_file()]
    return found[-1] if found else None


def _width(drawn: str) -> float:
    """Return the width of a figure in the units of its own view box."""
    head = base64.b64decode(drawn[:4000] + "=" * (-len(drawn[:4000]) % 4)).decode("utf-8", "replace")
    found = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)', head)
    return float(found[1]) if found else 0.0


def _figures(report: Path, name: str, folder: Path) -> list[str]:
    """Return the figures of a report as HTML, each drawn wide and with its caption."""
    folder.mkdir(exist_ok=True)
    lines = []
    for number, found in enumerate(FIGURE.findall(report.read_text(encoding="utf-8")), 1):
        # Drawn for a phone and wide: the wide one has more room for names.
        drawn = max(SOURCE.findall(found), key=_width, default=None)
        caption = re.search(r"<figcaption[^>]*>(.*?)</figcaption>", found, re.DOTALL)
        text = re.search(r'alt="([^"]*)"', found)
        if drawn is None or text is None:
            continue
        file = folder / f"{name}-{number}.svg"
        file.write_bytes(base64.b64decode(drawn))
        under = " ".join(caption[1].split()) if caption else ""
        lines.append(
            f'<figure class="report"><img src="../../figures/{file.name}" alt="{text[1]}">'
            f"<figcaption>{under}</figcaption></figure>\n"
        )
    return lines
