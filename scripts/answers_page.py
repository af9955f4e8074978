"""Write docs/answers.md: each question, its default, and the generated files that its answer reaches."""

from __future__ import annotations

from typing import Any

import yaml

from render import ROOT

PAGE = ROOT / "docs/answers.md"
HEADER = """# Answers and the files they reach

Written by `make reference` from `copier.yml` and `docs/reach.yml`; a test changes each answer and requires
exactly these files to change. Every answer is also recorded in `.copier-answers.yml`, and answers can be
given from a file with `--data-file`. Advanced questions are put only after a yes to `advanced`; their
answers count either way.
"""


def read(name: str) -> dict[str, Any]:
    """Return a YAML file of this repository."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return loaded


def page() -> str:
    """Return the page as Markdown."""
    reach, questions = read("docs/reach.yml"), read("copier.yml")
    lines = [HEADER]
    for title, names in groups().items():
        lines += [f"## {title}", "", "| answer | default | what it is | files |", "|---|---|---|---|"]
        for name in names:
            question = questions[name]
            files = (
                "<br>".join(f"`{file}`" for file in reach[name]["files"]) or "none: it decides the questions"
            )
            what = question["help"].split(" Example: ")[0].replace("|", "\\|")
            asked = " (advanced)" if "ask" in question else ""
            lines.append(f"| `{name}`{asked} | {_default(question['default'])} | {what} | {files} |")
        lines.append("")
    return "\n".join(lines)


def groups() -> dict[str, list[str]]:
    """Return the names of what is asked by the comment that heads their group in copier.yml."""
    computed = {name for name, question in read("copier.yml").items() if _never_asked(question)}
    found: dict[str, list[str]] = {}
    title = ""
    for line in (ROOT / "copier.yml").read_text(encoding="utf-8").splitlines():
        if line.startswith("# --- "):
            title = line.strip("# -")
            found[title] = []
        elif title and line[:1].isalpha() and line.endswith(":") and line[:-1] not in computed:
            found[title].append(line[:-1])
    return {title: names for title, names in found.items() if names}


def _never_asked(question: Any) -> bool:
    return isinstance(question, dict) and question.get("when") is False


def _default(default: Any) -> str:
    text = str(default).lower() if isinstance(default, bool) else str(default)
    if "{" in text:
        return "follows from other answers"
    return f"`{text}`" if text else "empty"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
