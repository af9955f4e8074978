"""`portfolio new-workload`: the files of your own workload, which no update of the template touches."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from acceleray.cli import workload_files
from acceleray.cli.options import ProjectFolder
from acceleray.cli.project import find_project
from acceleray.cli.text import tell
from acceleray.errors import PortfolioError
from acceleray.runtime.project import Project

Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words joined by _, like credit_study.")]
_LONGEST = 40
# Windows takes files of these names for devices, whatever ending follows.
_DEVICES = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
# Numbers below are those of the template's notebooks, which an update may bring.
_FIRST_NUMBER = 8


def new_workload(context: typer.Context, name: Name, project: ProjectFolder = None) -> int:
    """Write recipe, notebook, job, table and test of a new workload; it runs at once.

    \b
    portfolio new-workload credit_study
    portfolio run credit_study
    """
    folder = find_project(project)
    files = contents(folder, name, context.obj.project)
    if taken := [path for path in files if (folder / path).exists()]:
        raise PortfolioError(f"{taken[0]} already exists; choose another name.")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    tell([*files, "", f"Next: portfolio run {name}, then change its computation, and run `make dictionary`."])
    return 0


def contents(folder: Path, name: str, project: Project) -> dict[str, str]:
    """Return the files of a new workload, by their path in the project.

    Raises:
        PortfolioError: the name cannot be one, or is taken.
    """
    _refuse(name, project)
    number = max([_FIRST_NUMBER - 1, *_numbers(folder)]) + 1
    words = {
        "name": name,
        "constant": name.upper(),
        "title": name.replace("_", " ").capitalize(),
        "number": f"{number:02}",
    }
    texts = {
        f"src/portfolio/workloads/{name}.py": workload_files.RECIPE,
        f"src/portfolio/tables/{name}.py": workload_files.TABLE,
        f"notebooks/{number:02}_{name}.py": workload_files.NOTEBOOK,
        f"tests/workloads/test_{name}.py": workload_files.TEST,
    }
    made = {path: Template(text).substitute(words) for path, text in texts.items()}
    if job := _job(folder, name, words["number"]):
        made[f"resources/{name}.job.yml"] = job
    return made


def _refuse(name: str, project: Project) -> None:
    if (
        not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
        or keyword.iskeyword(name)
        or keyword.issoftkeyword(name)
    ):
        raise PortfolioError(
            f"'{name}' cannot be a workload: use lower-case words joined by _, like credit_study."
        )
    if _DEVICES.fullmatch(name):
        raise PortfolioError(f"'{name}' cannot be a workload: the name is reserved on Windows.")
    if len(name) > _LONGEST:
        raise PortfolioError(f"'{name}' has more than {_LONGEST} letters; choose a shorter name.")
    if name in project.workload_names():
        raise PortfolioError(f"There is a workload {name} already; choose another name.")
    if name in {table.name for table in project.all_tables()}:
        raise PortfolioError(f"There is a table gold.{name} already; choose another name.")


def _numbers(folder: Path) -> list[int]:
    names = [path.name for path in (folder / "notebooks").glob("*.py")]
    return [int(found.group()) for name in names if (found := re.match(r"\d+", name))]


def _job(folder: Path, name: str, number: str) -> str:
    """Return a job like that of another workload of this project: same clusters, identity and tags."""
    jobs = {path.name.removesuffix(".job.yml"): path for path in (folder / "resources").glob("*.job.yml")}
    # The fewest lines: one task, and nothing that only its workload needs.
    for other, path in sorted(jobs.items(), key=lambda item: (item[1].stat().st_size, item[0])):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\A#[^\n]*\n", f"# {name}: a workload of this project's own.\n", text)
        # Nobody has said when it shall run by itself.
        text = re.sub(r"^( *)schedule:[^\n]*\n(?:\1 +[^\n]*\n)*", "", text, flags=re.MULTILINE)
        text = re.sub(rf"\b\d+_{other}\b", f"{number}_{name}", text)
        return text.replace(other, name).replace(other.replace("_", "-"), name.replace("_", "-"))
    return ""
