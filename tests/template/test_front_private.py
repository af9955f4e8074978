"""A template behind a password or ssh is reached as Git reaches it, and nothing of the password is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from plumbum import local

from acceleray_cli import commands, git_settings
from acceleray_cli.addresses import whole_without_credentials, without_credentials
from acceleray_cli.cli import main
from private import guarded, ssh_to
from toy import commit, git, recorded, write

Capture = pytest.CaptureFixture[str]
SECRET = "S3CRET"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the home folder of a user who has nothing set up."""
    folder = tmp_path / "home"
    folder.mkdir()
    given = {
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "COPIER_CACHE_DIR": str(folder / "cache"),
        "no_proxy": "127.0.0.1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    for name in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME", "GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    with local.env(**given):
        yield folder


@pytest.fixture
def bare(toy: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "srv/risk.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(toy), str(folder))
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    return folder


def goes_through(project: Path, address: str) -> None:
    """Make a project from an address, and take an update as a colleague does, by what is recorded."""
    assert main(["new", str(project), "--defaults", "--template", address, "--at", "1.0.0"]) == 0
    git(project, "init", "--quiet")
    commit(project, "generated")
    assert main(["check", str(project)]) == 4
    assert main(["update", str(project)]) == 0
    assert recorded(project)["_commit"] == "1.1.0"


def nowhere(folder: Path, but: tuple[str, ...] = ()) -> None:
    """Check that no file below a folder has the password, with everything that Git keeps."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    assert not [path for path in paths if SECRET.encode() in path.read_bytes()]


def test_a_credential_helper_opens_a_private_template_and_its_password_is_left_nowhere(
    bare: Path, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    with guarded(bare.parent, SECRET) as host:
        address = f"http://{host}/risk.git"
        command = ["new", str(tmp_path / "project"), "--defaults", "--template", address]
        assert main(command) == 2
        said = capsys.readouterr().err
        assert (
            f"credential helper of Git (git help credentials) until git ls-remote {address} answers" in said
        )
        assert said.count("\n") == 1
        write(home, {".gitconfig": "[credential]\n\thelper = store\n"})
        write(home, {".git-credentials": f"http://kim:{SECRET}@{host}\n"})
        goes_through(tmp_path / "project", address)
        assert recorded(tmp_path / "project")["_src_path"] == address
    nowhere(tmp_path, but=(".git-credentials",))
    assert SECRET not in "".join(capsys.readouterr())


def test_a_password_in_the_address_opens_it_once_and_is_left_nowhere(
    bare: Path, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    project = tmp_path / "project"
    with guarded(bare.parent, SECRET) as host:
        address = f"http://kim:{SECRET}@{host}/risk.git?private_token={SECRET}"
        assert main(["new", str(project), "--defaults", "--template", address, "--at", "1.0.0"]) == 2
        address = f"http://kim:{SECRET}@{host}/risk.git"
        assert main(["new", str(project), "--defaults", "--template", address, "--at", "1.0.0"]) == 0
        git(project, "init", "--quiet")
        commit(project, "generated")
        assert main(["update", str(project)]) == 2
    nowhere(tmp_path)
    said = "".join(capsys.readouterr())
    assert SECRET not in said
    assert "The user name and password in the template's address are recorded nowhere" in said


def test_ssh_opens_a_private_template_as_git_does(
    bare: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    program = str(ssh_to(bare, tmp_path))
    monkeypatch.setenv("GIT_SSH_COMMAND", program)
    with local.env(GIT_SSH_COMMAND=program):
        goes_through(tmp_path / "project", "git@git.example.com:risk/acceleray.git")
        assert recorded(tmp_path / "project")["_src_path"] == "git@git.example.com:risk/acceleray.git"
        capsys.readouterr()
        command = ["new", str(tmp_path / "no"), "--defaults", "--template"]
        assert main([*command, "git@elsewhere.example.com:risk.git"]) == 2
    said = capsys.readouterr().err
    assert "ssh: Could not resolve hostname; git ls-remote git@elsewhere.example.com:risk.git has to" in said


def test_a_template_elsewhere_needs_no_home_that_can_be_written(
    bare: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPIER_CACHE_DIR", os.devnull)
    with local.env(COPIER_CACHE_DIR=os.devnull):
        command = ["new", str(tmp_path / "project"), "--defaults", "--template", f"file://{bare}"]
        assert main(command) == 0


@pytest.mark.parametrize(
    ("address", "clean"),
    [
        ("https://kim:S3CRET@h/x.git", "https://h/x.git"),
        ("https://S3CRET@h:8443/x", "https://h:8443/x"),
        ("https://kim:S3%40CRET@h/x", "https://h/x"),
        ("https://kim:S3/CRET@h/x", "https://h/x"),
        ("https:/kim:S3CRET@h/x", "https://h/x"),
        ("https://h/x.git?access_token=S3CRET", "https://h/x.git"),
        ("https://h/x.git?access%5Ftoken=S3CRET/info/refs&service=y", "https://h/x.git?service=y"),
        ("https://h/x.git?private_token=S3CRET&depth=1#key=S3CRET", "https://h/x.git?depth=1"),
        ("https://h/x.git#access_token=S3CRET", "https://h/x.git"),
        ("oauth2:S3CRET@h/risk/x.git", "h/risk/x.git"),
        ("kim:S3CRET@h:risk/x.git", "h:risk/x.git"),
        ("git+ssh://git:S3CRET@h/x.git", "git+ssh://git@h/x.git"),
        *[
            (kept, kept)
            for kept in (
                "git@h:risk/x.git",
                "ssh://git@h:22/x.git",
                "https://h:8443/a/@b/x.git?depth=1",
                "/srv/a?token=b",
                "C:/data/kim@home",
            )
        ],
    ],
)
def test_no_form_of_an_address_keeps_what_grants_something(address: str, clean: str) -> None:
    assert whole_without_credentials(address) == clean
    said = f"fatal: unable to access '{address}': refused; see {address}"
    assert without_credentials(said) == f"fatal: unable to access '{clean}': refused; see {clean}"


def test_a_password_with_blanks_and_quotes_is_taken_out_of_a_whole_address() -> None:
    for who in ("kim:S3 CRET", "kim:S3'CRET", 'S3@ "CRET'):
        assert whole_without_credentials(f"https://{who}@h/x") == "https://h/x"


@pytest.mark.parametrize("name", ["risk.git", "risk"])
def test_a_bare_repository_is_a_template(name: str, toy: Path, tmp_path: Path, capsys: Capture) -> None:
    bare = tmp_path / "srv" / name
    git(tmp_path, "clone", "--quiet", "--bare", str(toy), str(bare))
    goes_through(tmp_path / "project", str(bare))


def test_a_failure_of_ours_prints_no_password(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object) -> int:
        raise RuntimeError(f"https://kim:{SECRET}@h/x.git")

    monkeypatch.setattr(commands, "doctor", failing)
    assert main(["doctor"]) == 2
    said = capsys.readouterr().err
    assert said.endswith("acceleray failed unexpectedly; report it with the lines above.\n")
    assert "RuntimeError: https://h/x.git" in said
    assert SECRET not in said


def test_no_temporary_folder_is_one_plain_line(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/var/tmp']")

    monkeypatch.setattr(git_settings.tempfile, "TemporaryDirectory", none)
    assert main(["doctor"]) == 2
    line = "No usable temporary directory found; set TMPDIR to a folder that you can write.\n"
    assert capsys.readouterr().err == line


def test_a_proxy_that_does_not_answer_is_named_with_its_variable(
    home: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # Nobody listens at port 9.
    monkeypatch.setenv("HTTPS_PROXY", f"http://kim:{SECRET}@127.0.0.1:9")
    command = ["new", str(tmp_path / "no"), "--defaults", "--template", "https://git.example.com/risk.git"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "HTTPS_PROXY names this proxy; correct it, or set NO_PROXY to the host" in said
    assert SECRET not in said
