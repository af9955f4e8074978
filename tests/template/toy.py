"""A template of few files in two releases, so that a test of the front end takes a moment."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceleray_cli.hashes import LIST, listing
from acceleray_cli.rehearsal import contents

COPIER = """\
_min_copier_version: "9.19.1"
_subdirectory: template
_templates_suffix: .jinja
_envops:
  undefined: jinja2.StrictUndefined
  keep_trailing_newline: true
_exclude:
  - |
    {% from "includes/parts.jinja" import unowned %}{{ unowned(parts) }}

name:
  type: str
  default: First
  validator: >-
    {% if not name | regex_search('\\\\A[A-Za-z][A-Za-z0-9_ ]{0,19}\\\\Z') %}Use up to 20 letters.{% endif %}
size:
  type: int
  default: 2
  validator: "{% if size < 1 or size > 9 %}Use a whole number from 1 to 9.{% endif %}"
fast:
  type: bool
  default: false
speed:
  type: str
  default: high
  when: "{{ fast }}"
cloud:
  type: str
  choices: {Amazon: aws, Microsoft: azure}
  default: aws
parts:
  type: str
  multiselect: true
  choices: {Alpha: alpha, Beta: beta, Gamma: gamma}
  default: "[alpha, beta]"
  validator: "{% if not parts %}Choose at least one.{% endif %}"
label:
  type: str
  default: "{{ name | lower }}"
  when: false
"""
PARTS = """\
{%- macro unowned(selected) -%}
{%- for part in ["alpha", "beta", "gamma"] if part not in selected %}
/parts/{{ part }}.txt
{%- endfor %}
{%- endmacro -%}
"""
RECORD = "{{ dict(_copier_answers) | to_nice_yaml | trim }}\n"
LINES = "".join(f"line {number}\n" for number in range(1, 21))
FIRST = {
    "copier.yml": COPIER,
    "includes/parts.jinja": PARTS,
    "template/.copier-answers.yml.jinja": RECORD,
    "template/README.md.jinja": "# {{ name }} ({{ label }})\n\n{{ cloud }}, {{ size }} machines\n",
    "template/lines.txt": LINES,
    "template/gone.txt": "gone\nin the second release\n",
    "template/before.txt": "a file\nthat will be\ncalled otherwise\n",
    "template/parts/alpha.txt": "alpha\n",
    "template/parts/beta.txt": "beta\n",
    "template/parts/gamma.txt": "gamma\n",
}
QUESTION = "extra:\n  type: str\n  default: nothing\n"


def git(folder: Path, *arguments: str) -> str:
    identity = (
        "-c",
        "user.name=Somebody",
        "-c",
        "user.email=somebody@example.com",
        "-c",
        "commit.gpgsign=false",
    )
    ended = subprocess.run(["git", *identity, "-C", str(folder), *arguments], capture_output=True, check=True)
    return ended.stdout.decode()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def toy_template(folder: Path) -> Path:
    """Return a repository with the releases 1.0.0 and 1.1.0, and a prerelease after them."""
    write(folder, FIRST)
    git(folder, "init", "--quiet")
    commit(folder, "first")
    git(folder, "tag", "1.0.0")
    write(
        folder,
        {
            "copier.yml": COPIER + QUESTION,
            "template/lines.txt": LINES.replace("line 5\n", "line five\n"),
            "template/fresh.txt": "new in the second release\n",
        },
    )
    (folder / "template/gone.txt").unlink()
    git(folder, "mv", "template/before.txt", "template/behind.txt")
    commit(folder, "second")
    git(folder, "tag", "1.1.0")
    write(folder, {"template/lines.txt": "not released\n"})
    commit(folder, "third")
    git(folder, "tag", "2.0.0rc1")
    return folder


def toy_with_engine(folder: Path) -> Path:
    """Return a template without engine/ in its release 0.9.0, and with it in 1.0.0 and 1.1.0."""
    write(folder, FIRST)
    git(folder, "init", "--quiet")
    commit(folder, "before the engine")
    git(folder, "tag", "0.9.0")
    for version, middle in (("1.0.0", "line 10\n"), ("1.1.0", "line ten\n")):
        write(
            folder,
            {
                "template/engine/acceleray/stages/features/raw.py": LINES.replace("line 10\n", middle),
                "template/engine/acceleray/quant/risk.py": LINES,
                f"template/engine/only/in_{version}.txt": "a file of one release\n",
            },
        )
        if version == "1.1.0":
            (folder / "template/engine/only/in_1.0.0.txt").unlink()
        write(folder, {f"template/engine/{LIST}": listing(folder / "template/engine")})
        commit(folder, version)
        git(folder, "tag", version)
    return folder


def data_file(folder: Path, answers: Any) -> Path:
    path = folder / "answers.yml"
    path.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    return path


def state(project: Path) -> tuple[dict[str, bytes], str]:
    """Return everything that a look may not change: files, commit and index."""
    return contents(project), git(project, "rev-parse", "HEAD") + git(
        project, "status", "--porcelain", "--ignored"
    )


def listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def recorded(project: Path) -> dict[str, object]:
    return yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
