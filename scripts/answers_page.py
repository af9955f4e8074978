"""Write docs/answers.md: each question, its default, and the generated files that its answer reaches."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader

from render import ROOT

PAGE = ROOT / "docs/answers.md"
OWNERSHIP = "includes/workloads.jinja"
# The question whose choices own files.
WORKLOADS = "workloads"
HEADER = """# Answers and the files they reach

Written by `make reference` from `copier.yml` and `docs/reach.yml`; a test changes each answer, to each of
its choices where it has some, and requires exactly these files to change. Every answer is also recorded in
`.copier-answers.yml`, and answers can be given from a file with `--data-file`. Advanced questions are put
only after a yes to `advanced`; their answers count either way.
"""


class Help(NamedTuple):
    """The parts of a question's help: its group, what it asks for, an example, and why it is asked."""

    group: str
    what: str
    example: str
    why: str


def parts(help: str) -> Help:
    """Return the parts of "Group (1 of 7): What. Example: this. Why".

    Raises:
        ValueError: one is missing.
    """
    head, rest = help.split(" Example: ")
    group, what = head.split(": ", 1)
    example, why = rest.split(". ", 1)
    return Help(group, what, example, why)


def choices(name: str) -> dict[str, Any]:
    """Return the answers that a question offers by how it calls them; none where it takes any."""
    offered = read("copier.yml")[name].get("choices", {})
    if isinstance(offered, str):
        offered = yaml.safe_load(Environment(loader=FileSystemLoader(ROOT)).from_string(offered).render())
    return dict(offered)


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
            files = _listed(reach[name]["files"]) or "none: it decides the questions"
            if name == WORKLOADS:
                files += "<br>and what the table below says"
            what = parts(question["help"]).what.replace("|", "\\|")
            asked = " (advanced)" if "ask" in question else ""
            lines.append(f"| `{name}`{asked} | {_default(question['default'])} | {what} | {files} |")
        lines.append("")
        if WORKLOADS in names:
            lines += ["| workload | files that come with it, some also with others |", "|---|---|"]
            lines += [f"| `{workload}` | {_listed(files)} |" for workload, files in owned().items()]
            lines.append("")
    return "\n".join(lines)


def _listed(files: list[str]) -> str:
    return "<br>".join(f"`{file}`" for file in files)


def declared(name: str) -> list[str]:
    """Return the files that an answer may change, as patterns: what reach.yml and the ownership list say."""
    files = list(read("docs/reach.yml")[name]["files"])
    return files + sorted(
        {file for brought in owned().values() for file in brought} if name == WORKLOADS else ()
    )


def owned() -> dict[str, list[str]]:
    """Return the files that are there for the sake of some workloads only, as patterns, by each of these."""
    unowned = Environment(loader=FileSystemLoader(ROOT)).get_template(OWNERSHIP).module.unowned  # type: ignore
    lacking = {name: set(str(unowned([name])).split()) for name in choices(WORKLOADS).values()}
    some = {path: _pattern(path.removeprefix("/")) for path in set().union(*lacking.values())}
    return {
        name: sorted(pattern for path, pattern in some.items() if pattern and path not in without)
        for name, without in lacking.items()
    }


def _pattern(path: str) -> str | None:
    """Return the pattern of a path in the ownership list, or None if the template has no such file."""
    template = ROOT / "template"
    if (template / path).is_dir():
        return f"{path}/*"
    return path if any([*template.glob(path), *template.glob(f"{path}.jinja")]) else None


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
