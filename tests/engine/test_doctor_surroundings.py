"""Doctor names what the machine does not allow and the setting that mends it; no run ends in a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray.doctor import surroundings
from acceleray.engines import machine_checks, profiles
from acceleray.engines.processes import allowance
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

Settle = Callable[..., Settings]


@pytest.fixture
def settled(tmp_path: Path) -> Callable[..., Settings]:
    def settle(**sections: object) -> Settings:
        about = {"project": {"name": "P", "customer": "C"}, "project_dir": tmp_path, **sections}
        return Settings.model_validate(about)

    return settle


def test_a_home_that_cannot_be_written_is_named_with_the_setting_and_stops_a_run_in_one_line(
    settled: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", os.devnull)
    settings = settled()
    line = "~/.cache/portfolio cannot be written (Not a directory); set paths.cache to a folder that can"
    found = surroundings.cache(settings)
    assert (found.status, found.detail) == ("missing", line)
    for start in (profiles.spark_of_profile, profiles.ray_of_profile, profiles.engines, profiles.spark_alone):
        with pytest.raises(PortfolioError, match=r"set paths\.cache to a folder that can"), start(settings):
            pass
    assert surroundings.cache(settled(paths={"cache": "cache"})).status == "ok"


def test_a_cache_without_programs_is_named_with_the_setting_and_stops_a_run_in_one_line(
    settled: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settled(paths={"cache": "cache"})
    monkeypatch.setattr(allowance, "runs_programs", lambda folder: folder != settings.cache_dir)
    found = surroundings.cache(settings)
    assert (found.status, found.detail.partition(",")[0]) == ("missing", "cache is mounted noexec")
    with pytest.raises(PortfolioError, match=r"set paths\.cache to a folder on another file system\.$"):
        machine_checks.refuse_unusable_folders(settings)


def test_a_temporary_folder_without_programs_is_named_with_the_setting_and_stops_a_run_in_one_line(
    settled: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settled(paths={"cache": "cache"})
    assert surroundings.temporary_folder().status == "ok"
    monkeypatch.setattr(allowance, "runs_programs", lambda _: False)
    found = surroundings.temporary_folder()
    assert found.status == "missing"
    assert "is mounted noexec" in found.detail
    assert "set TMPDIR to" in found.detail
    with pytest.raises(PortfolioError, match="mounted noexec"):
        machine_checks.refuse_unusable_folders(settings)


def test_more_processors_than_are_allowed_are_named_with_their_settings(
    settled: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(allowance, "processors", lambda: 2)
    assert (
        surroundings.processors(settled()).detail
        == "2 of 16 allowed, by affinity or the quota of a container"
    )
    found = surroundings.processors(settled(ray={"workers": 8}))
    assert found.status == "note"
    assert found.detail.endswith("; lower ray.workers to 2")


def test_proxy_certificates_and_mirror_are_said_without_passwords(tmp_path: Path) -> None:
    environ = {
        "HTTPS_PROXY": "http://kim:S3CRET@proxy.example.com:3128",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem"),
        "SSL_CERT_FILE": str(tmp_path),
        "PIP_INDEX_URL": "https://kim:S3CRET@pypi.example.com/simple",
    }
    found = list(surroundings.network(environ))
    assert [(one.status, one.subject) for one in found] == [
        ("ok", "Proxy"),
        ("missing", "Certificates"),
        ("ok", "Certificates"),
        ("ok", "Package mirror"),
    ]
    said = " ".join(one.detail for one in found)
    assert "http://proxy.example.com:3128 by HTTPS_PROXY" in said
    assert f"REQUESTS_CA_BUNDLE is {tmp_path / 'none.pem'}, which does not exist" in said
    assert "S3CRET" not in said
    assert list(surroundings.network({})) == []
