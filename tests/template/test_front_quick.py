"""What the front end spares itself and Copier changes nothing that it writes, and is spared."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copier import Settings, _template, run_copy

from acceleray_cli import copies
from acceleray_cli.cli import main
from conftest import contents
from render import ROOT
from toy import COPIER, FIRST, commit, git, write

WHOLE = COPIER.replace("_subdirectory: template\n", "")


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template with tests of itself, a program, and names that are rendered."""
    folder = tmp_path_factory.mktemp("tested") / "template"
    files = {
        "reference/left.txt": "out\n",
        "tests/left.txt": "out\n",
        "template/tests/kept.txt": "in\n",
        "template/run.sh": "#!/bin/sh\n",
        "template/of {{ name }}/{{ cloud }}.txt": "a rendered path\n",
        "template/both.txt": "the rendered one is taken\n",
        "template/both.txt.jinja": "{{ name }}\n",
        "template/deep/er/plain.jinja.txt": "{{ as it is }}\n",
    }
    write(folder, FIRST | files)
    (folder / "template/run.sh").chmod(0o755)
    return _released(folder)


def _released(folder: Path) -> Path:
    git(folder, "init", "--quiet")
    commit(folder, "first")
    git(folder, "tag", "1.0.0")
    return folder


def _modes(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_mode for name in contents(folder)}


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_copier_alone_writes_the_same_bytes_and_modes(tested: Path, tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert main(["new", str(tmp_path / "ours"), "--template", str(tested), "--defaults"]) == 0
        run_copy(str(tested), tmp_path / "theirs", defaults=True, quiet=True, settings=Settings())
    finally:
        os.umask(before)
    assert contents(tmp_path / "ours") == contents(tmp_path / "theirs")
    assert _modes(tmp_path / "ours") == _modes(tmp_path / "theirs")
    assert {"run.sh", "tests/kept.txt", "of First/aws.txt"} <= contents(tmp_path / "ours").keys()


@pytest.mark.parametrize("command", ["new", "adopt"])
@pytest.mark.parametrize("versioned", [True, False])
def test_no_file_of_a_project_is_that_of_another_folder(
    tested: Path, tmp_path: Path, command: str, versioned: bool
) -> None:
    template = shutil.copytree(tested, tmp_path / "template")
    if not versioned:
        shutil.rmtree(template / ".git")
    project = tmp_path / "project"
    if command == "adopt":
        write(project, {"ours.txt": "ours\n"})
        git(project, "init", "--quiet")
        commit(project, "ours")
    assert main([command, str(project), "--template", str(template), "--defaults"]) == 0
    assert len(contents(project)) > 5
    assert {name for name in contents(project) if (project / name).stat().st_nlink != 1} == set()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "template"]


def test_files_are_linked_where_that_can_be_and_written_where_not(
    tested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, linked = os.link, list[Path]()

    def counted(file: Path, made: Path) -> None:
        linked.append(made)
        link(file, made)

    monkeypatch.setattr(os, "link", counted)
    assert main(["new", str(tmp_path / "linked"), "--template", str(tested), "--defaults"]) == 0
    assert {"run.sh", "lines.txt", "kept.txt"} <= {path.name for path in linked}
    # Rendered, or with a name that is: README.md is a template.
    assert "README.md" not in {path.name for path in linked}

    def refused(file: Path, made: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(made))

    monkeypatch.setattr(os, "link", refused)
    assert main(["new", str(tmp_path / "written"), "--template", str(tested), "--defaults"]) == 0
    assert contents(tmp_path / "linked") == contents(tmp_path / "written")
    assert _modes(tmp_path / "linked") == _modes(tmp_path / "written")


def test_a_copy_of_a_template_is_without_objects_and_without_what_no_template_reads(
    tested: Path, tmp_path: Path
) -> None:
    with copies.copying(tmp_path):
        copy = Path(_template.clone(str(tested), "1.0.0"))
        assert copy == Path(_template.clone(str(tested), git(tested, "rev-parse", "HEAD").strip()))
        assert {"template/tests/kept.txt", "includes/parts.jinja"} <= contents(copy).keys()
        assert not (copy / "tests").exists()
        assert not (copy / "reference").exists()
        assert (copy / ".git/objects/info/alternates").exists()
        with pytest.raises(ValueError, match=r"Unknown revision: '9\.9\.9'"):
            _template.clone(str(tested), "9.9.9")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "questions", [WHOLE, COPIER.replace("_subdirectory: template", "_subdirectory: tests")]
)
def test_tests_that_a_project_receives_are_not_left_out(questions: str, tmp_path: Path) -> None:
    template = tmp_path / "template"
    files = {name.replace("template/", "tests/"): text for name, text in FIRST.items()}
    write(template, files | {"copier.yml": questions})
    assert main(["new", str(tmp_path / "project"), "--template", str(_released(template)), "--defaults"]) == 0
    names = contents(tmp_path / "project").keys()
    assert ("tests/lines.txt" if questions == WHOLE else "lines.txt") in names


def test_git_is_started_twenty_times_and_not_once_for_each_question_or_file(
    tested: Path, tmp_path: Path
) -> None:
    git_there, calls = shutil.which("git"), tmp_path / "calls"
    write(tmp_path, {"bin/git": f'#!/bin/sh\necho "$@" >> "{calls}"\nexec "{git_there}" "$@"\n'})
    (tmp_path / "bin/git").chmod(0o755)
    command = [sys.executable, "-m", "acceleray_cli", "new", str(tmp_path / "project"), "--defaults"]
    path = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    arguments = ["--template", str(tested), "--at", "1.0.0"]
    subprocess.run([*command, *arguments], env=os.environ | path, check=True)
    assert len(calls.read_text(encoding="utf-8").splitlines()) <= 22


@pytest.mark.parametrize(
    "arguments", [["new", "--help"], ["new"], ["renew"], ["check", ".", "--data-file", "a"]]
)
def test_help_and_a_wrong_option_do_not_wait_for_copier(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom acceleray_cli.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print([name for name in ('copier', 'jinja2') if name in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", code, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_garbage_is_collected_again_after_a_command_however_it_ends(tested: Path, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "project"), "--template", str(tested), "--defaults"]
    for code in (0, 2):
        assert main(["new", *arguments]) == code
        assert gc.isenabled()
    gc.disable()
    try:
        assert main(["new", *arguments]) == 2
        assert not gc.isenabled()
    finally:
        gc.enable()
