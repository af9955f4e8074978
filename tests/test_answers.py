"""Every question has a use, every bad answer a plain refusal."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

import answers_page
from acceleray.checks import NOTES
from conftest import Answers, contents
from render import ROOT, render

REACH = answers_page.read("docs/reach.yml")
REFUSED: list[tuple[str, Any]] = [
    *(("project_name", text) for text in ("", " padded ", 'two "quotes"', "a\nb", "{{ 7 * 7 }}", "x" * 81)),
    *(
        ("customer_name", text)
        for text in ('A "B" C', "A\nB", "back\\slash", "tab\there", "A{B", "A\u2028B", "a`b")
    ),
    *(
        ("project_slug", text)
        for text in ("Upper", "1st", "a--b", "a-", "ünicode", "a b", "a\n", "../up", "ray")
    ),
    *(("catalog_dev", text) for text in ("Main", "a-b", "1a", "a.b", "a b", "system", "a;drop", "a\n")),
    *(("catalog_staging", text) for text in ("", "ä")),
    *(("catalog_prod", text) for text in ("a`b", "hive_metastore")),
    *(("schema_dev", text) for text in ("", "a-b", "information_schema")),
    *(("schema_staging", text) for text in ("A", "a/b")),
    *(("schema_prod", text) for text in ("a'b", "x" * 61)),
    ("cloud", "on_premises"),
    ("databricks_runtime", "16.4.x-cpu-ml-scala2.12"),
    ("workloads", []),
    ("workloads", ["no_such_workload"]),
    ("cluster_size", "XXL"),
    ("ci_provider", "jenkins"),
    *(("cluster_workers", number) for number in (0, -1, 501, "many")),
    ("project_name", "Risk/Market"),
    *(("owner_group", text) for text in ("", "x", "jane@example.com", 'a"b', "a\nb")),
    *(("owner_contact", text) for text in ('say "hi"', "a\nb")),
    ("licence", "GPL"),
    ("licence_holder", "Somebody without a licence"),
    *(("volume", text) for text in ("", "Files", "../up")),
    ("data_source", "excel"),
    *(("data_path", text) for text in ("elsewhere.csv", "../up.csv", "prices.txt")),
    *(("data_table", text) for text in ("risk.market.prices", "prices", "a.b.c;drop")),
    *(("schedule_cron", text) for text in ("0 6 * * 1", "* 0 6 ? * MON", "0 0 6 * * *", "0 0 6 ? * ?")),
    *(("schedule_cron", text) for text in ("0 99 99 ? * MON", "60 0 6 ? * MON", "0 0 24 ? * MON")),
    *(
        ("schedule_cron", text)
        for text in ("0 0/60 6 ? * MON", "0 0 6 32 * ?", "0 0 6 ? 13 MON", "0 0 6 ? * 8")
    ),
    *(("schedule_cron", text) for text in ("0 0 6 ? * FRI#6", "0 0 6 ? * MON 2100", "0 0 6 ? * 8")),
    *(("time_zone", text) for text in ("", "+01:00", "europe zurich")),
    *(("notification_emails", text) for text in ("nobody", "a@b", "a@example.com;b@example.com")),
    ("accelerator", "tpu"),
    ("gpu_node_type", "g5.8xlarge"),
    *(("node_type", text) for text in ("r6id.8xlarge", "Standard_E4ds_v5")),
    ("node_cores", 16),
    ("node_memory_gb", 128),
    *(("ray_cpus_per_worker", number) for number in (-1, 8)),
    *(("object_store_percent", number) for number in (0, 31)),
    ("cluster_policy", "mine"),
    *((name, "jane@example.com") for name in ("group_readers", "group_operators", "group_admins")),
    *((f"service_principal_{target}", "market-risk") for target in ("staging", "prod")),
]


def questions() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        name: question
        for name, question in loaded.items()
        if not name.startswith("_") and question.get("when") is not False
    }


def test_every_question_is_declared_with_what_it_reaches_and_tried_with_bad_answers() -> None:
    assert list(questions()) == [name for names in answers_page.groups().values() for name in names]
    assert set(questions()) == set(REACH)
    # Copier takes any text for yes or no.
    assert set(questions()) - {"advanced"} == {name for name, _ in REFUSED}


@pytest.mark.parametrize("name", REACH)
def test_an_answer_changes_the_declared_files_and_no_other(
    name: str, defaults: Path, rendered: Callable[[Answers], Path]
) -> None:
    given = REACH[name].get("given", {})
    before = contents(rendered(given) if given else defaults)
    after = contents(rendered({**given, name: REACH[name]["instead"]}))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    patterns = [*REACH[name]["files"], ".copier-answers.yml"]
    assert changed == {
        path for path in before.keys() | after.keys() if any(fnmatch(path, pattern) for pattern in patterns)
    }
    assert not [pattern for pattern in patterns if not any(fnmatch(path, pattern) for path in changed)]


def test_only_the_question_about_questions_reaches_no_file() -> None:
    assert [name for name, entry in REACH.items() if not entry["files"]] == ["advanced"]


def test_the_page_of_answers_is_up_to_date() -> None:
    assert answers_page.PAGE.read_text(encoding="utf-8") == answers_page.page(), "run `make reference`"


@pytest.mark.parametrize(("name", "answer"), REFUSED)
def test_a_bad_answer_is_refused_and_nothing_is_written(
    name: str, answer: Any, template: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    with pytest.raises(
        ValueError, match=rf"(?i){name}|choose|choice|use |write|leave|literal|counts only|bool"
    ) as refusal:
        render(template, project, {name: answer})
    assert "Traceback" not in str(refusal.value)
    assert not project.exists() or not list(project.iterdir())


def test_two_environments_cannot_share_their_tables(template: Path, tmp_path: Path) -> None:
    shared = {"catalog_dev": "risk", "catalog_prod": "risk", "schema_dev": "market", "schema_prod": "market"}
    with pytest.raises(ValueError, match="dev environment already uses catalog risk"):
        render(template, tmp_path / "project", shared)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"accelerator": "gpu", "workloads": ["risk_stress_testing"]},
            "counts only with a workload that fits",
        ),
        ({"cluster_size": "custom", "node_type": "g5.2xlarge"}, "nothing here would use"),
        (
            {"cluster_size": "custom", "gpu_node_type": "g5.8xlarge"},
            "counts only with cluster_size custom and",
        ),
        *(
            (
                {"accelerator": "gpu", "cluster_size": "custom", "cloud": cloud, "gpu_node_type": machine},
                "a GPU",
            )
            for cloud, machine in [
                ("aws", "r6id.8xlarge"),
                ("aws", "g5.8xlarge; rm"),
                ("azure", "Standard_E8ds_v5"),
                ("gcp", "n2-highmem-8"),
            ]
        ),
    ],
)
def test_a_gpu_that_nothing_would_use_is_refused_and_so_is_a_machine_without_one(
    given: Answers, said: str, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        render(template, tmp_path / "project", given)


def test_a_time_zone_is_asked_for_only_with_a_schedule(
    rendered: Callable[[Answers], Path], template: Path, tmp_path: Path
) -> None:
    unscheduled = rendered({"schedule_cron": ""})
    assert "time_zone" not in yaml.safe_load(
        (unscheduled / ".copier-answers.yml").read_text(encoding="utf-8")
    )
    with pytest.raises(ValueError, match="counts only with a schedule"):
        render(template, tmp_path / "refused", {"schedule_cron": "", "time_zone": "Europe/Zurich"})


def test_names_that_yaml_reads_as_something_else_stay_names(rendered: Callable[[Answers], Path]) -> None:
    project = rendered({"catalog_dev": "no", "schema_dev": "null", "project_slug": "true"})
    conf = yaml.safe_load((project / "conf/dev.yml").read_text(encoding="utf-8"))
    bundle = yaml.safe_load((project / "databricks.yml").read_text(encoding="utf-8"))
    assert conf["catalog"]["name"] == "no"
    assert bundle["targets"]["dev"]["variables"]["schema_prefix"] == "null"
    assert bundle["bundle"]["name"] == "true"


def test_what_is_computed_is_the_only_thing_without_a_question() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert {name for name in loaded if not name.startswith("_")} - set(questions()) == {NOTES}


def test_every_question_says_what_it_means_with_an_example() -> None:
    for name, question in questions().items():
        assert "Example: " in question["help"], f"{name} has no example"
        assert "default" in question, f"{name} does not work by pressing Enter"


def test_nothing_asks_for_trust() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(loaded)
