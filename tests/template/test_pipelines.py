"""Each provider's pipeline tests, deploys one target after another, and holds no secret; none ever ran."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Answers
from render import ROOT

TARGETS = ["dev", "staging", "prod"]
WORKFLOWS = ".github/workflows"
FILES = {
    "github": {f"{WORKFLOWS}/{name}.yml" for name in ("test", "deploy", "deploy-target", "update")},
    "azure_devops": {"azure-pipelines.yml", "azure-pipelines-update.yml"},
    "gitlab": {".gitlab-ci.yml"},
}


def pipeline(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / "template" / name).read_text(encoding="utf-8"))
    return loaded


def every(found: Any, key: str) -> Iterator[Any]:
    """Yield each value that stands under a key, however deep."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name == key:
                yield value
            yield from every(value, key)
    elif isinstance(found, list):
        for value in found:
            yield from every(value, key)


@pytest.mark.parametrize("provider", FILES)
def test_a_project_has_the_pipeline_of_its_provider_and_no_other(
    provider: str, described: Callable[[Answers], Path]
) -> None:
    project = described({"ci_provider": provider})
    there = {name for names in FILES.values() for name in names if (project / name).exists()}
    assert there == FILES[provider]
    assert (project / ".github").exists() == (provider == "github")
    runbook = (project / "docs/runbook.md").read_text(encoding="utf-8")
    assert {name for name in ("test.yml", "azure-pipelines.yml", ".gitlab-ci.yml") if name in runbook} == {
        {"github": "test.yml", "azure_devops": "azure-pipelines.yml", "gitlab": ".gitlab-ci.yml"}[provider]
    }


@pytest.mark.parametrize("provider", FILES)
def test_the_runbook_says_what_to_do_in_a_folder_of_a_larger_repository(
    provider: str, described: Callable[[Answers], Path]
) -> None:
    project = described({"ci_provider": provider, "project_slug": "equity-risk"})
    runbook = (project / "docs/runbook.md").read_text(encoding="utf-8")
    (part,) = re.findall(r"^### In a folder of a larger repository\n(.*?)^## ", runbook, re.M | re.S)
    # Each file of the provider is named, whatever stands in front of it, and nothing else that is here.
    named = set(re.findall(r"`(?:FOLDER/)?([\w./-]+\.yml)`", part))
    assert {name for name in named if "equity-risk" not in name} == FILES[provider]
    assert all(
        name.endswith(("-test.yml", "-deploy.yml", "-deploy-target.yml", "-update.yml"))
        for name in named - FILES[provider]
    )
    assert "FOLDER" in part
    text = "".join((project / name).read_text(encoding="utf-8") for name in FILES[provider])
    for key in re.findall(r"(?:below|of|after) `(\w+):?`", part):
        assert re.search(rf"^\s*(?:- )?{key}:", text, re.MULTILINE), f"no {key} in the pipeline"


@pytest.mark.parametrize("name", sorted(set().union(*FILES.values())))
def test_a_pipeline_names_no_secret_and_only_what_is_pinned(name: str) -> None:
    text = (ROOT / "template" / name).read_text(encoding="utf-8")
    assert not re.search(r"secrets\.|(?i:password)|CLIENT_SECRET|DATABRICKS_TOKEN", text)
    for used in every(pipeline(name), "uses"):
        assert used.startswith("./") or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used), used
    for commit in re.findall(r"setup-cli[/@]([^/\s]+)", text):
        assert re.fullmatch("[0-9a-f]{40}", commit)


def test_on_github_only_jobs_that_deploy_get_a_token_and_none_keeps_credentials() -> None:
    for name in FILES["github"]:
        loaded = pipeline(name)
        assert loaded["permissions"] == {"contents": "read"}
        for step in (step for steps in every(loaded, "steps") for step in steps):
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    jobs = pipeline(f"{WORKFLOWS}/deploy.yml")["jobs"]
    assert {name for name, job in jobs.items() if "id-token" in job.get("permissions", {})} == set(TARGETS)
    # What a run is given from outside reaches a shell only through its environment.
    (job,) = pipeline(f"{WORKFLOWS}/deploy-target.yml")["jobs"].values()
    assert not [step["run"] for step in job["steps"] if "${{" in step.get("run", "")]
    assert job["environment"] == "${{ inputs.target }}"


def test_targets_follow_one_another_after_the_tests_everywhere(defaults: Path) -> None:
    bundle = yaml.safe_load((defaults / "databricks.yml").read_text(encoding="utf-8"))
    # The one besides them is everybody's own.
    assert list(bundle["targets"]) == ["personal", *TARGETS]
    jobs = pipeline(f"{WORKFLOWS}/deploy.yml")["jobs"]
    assert [(jobs[name]["needs"], jobs[name]["with"]["target"]) for name in TARGETS] == [
        ("test", "dev"),
        ("dev", "staging"),
        ("staging", "prod"),
    ]
    stages = pipeline("azure-pipelines.yml")["stages"]
    assert [stage["stage"] for stage in stages] == ["test", *TARGETS]
    assert [stage.get("dependsOn") for stage in stages] == [None, "test", "dev", "staging"]
    assert [next(every(stage, "environment")) for stage in stages[1:]] == TARGETS
    steps = [next(every(stage, "steps")) for stage in stages[1:]]
    assert steps[0] == steps[1] == steps[2]
    gitlab = pipeline(".gitlab-ci.yml")
    assert gitlab["stages"] == ["test", *TARGETS]
    assert [gitlab[name]["environment"]["name"] for name in TARGETS] == TARGETS
    assert gitlab["prod"]["rules"][-1]["when"] == "manual"


@pytest.mark.parametrize("name", ["deploy.yml", "azure-pipelines.yml", ".gitlab-ci.yml"])
def test_nothing_is_deployed_before_somebody_says_so(name: str) -> None:
    path = f"{WORKFLOWS}/{name}" if name == "deploy.yml" else name
    assert "DEPLOY_TO_DATABRICKS" in (ROOT / "template" / path).read_text(encoding="utf-8")
