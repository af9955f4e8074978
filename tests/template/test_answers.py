"""Every question has a use, every bad answer a plain refusal."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

import answers_page
from acceleray.settings import load
from acceleray_cli.checks import NOTES, complete
from acceleray_cli.refusals import RefusedError
from conftest import Answers, contents, drawn, drawn_together
from render import ROOT, render

REACH = answers_page.read("docs/reach.yml")
# Another seed draws other answers for `make test`; the night takes all.
SEED = 19
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
    *(("catalog_dev", word) for word in ("select", "table", "default", "information_schema", "user")),
    *(("schema_dev", text) for text in ("", "a-b", "information_schema", "null", "order")),
    *(("schema_staging", text) for text in ("A", "a/b")),
    *(("schema_prod", text) for text in ("a'b", "x" * 61)),
    *(("compute", "edge"), ("cloud", "on_premises")),
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
    *(("volume", text) for text in ("", "Files", "../up", "values")),
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
    *(("sql_warehouse", 'a"b'), ("daily_budget", 80)),
    *((name, "jane@example.com") for name in ("group_readers", "group_operators", "group_admins")),
    *((f"service_principal_{target}", "market-risk") for target in ("staging", "prod")),
]
# Answers that can each be used, but not together, and what is said of them.
REFUSED_TOGETHER: list[tuple[Answers, str]] = [
    ({"cluster_size": "custom", "node_cores": 512, "node_memory_gb": 8}, "Use 512 to 8192 for 512 cores"),
    ({"cluster_size": "custom", "node_cores": 96}, "Use 96 to 8192 for 96 cores"),
    ({"cluster_size": "custom", "node_cores": 2, "node_memory_gb": 7}, "Use 8 to 8192 for 2 cores"),
    ({"cluster_size": "custom", "node_cores": 2, "ray_cpus_per_worker": 2}, "use 0 to 1"),
    ({"cluster_size": "S", "ray_cpus_per_worker": 4}, "use 0 to 3"),
    ({"cluster_size": "custom", "node_cores": 1}, "Use 2 to 512"),
]
# Choices that change no file by themselves.
IDLE = [("cluster_size", "custom"), ("advanced", True)]
# The longest that each question takes which takes free text, and what it needs beside in order to be asked.
SIXTY = "x" * 60
LONGEST: dict[str, tuple[str, Answers]] = {
    **dict.fromkeys(("project_name", "customer_name", "owner_contact"), ("x" * 80, {})),
    "licence_holder": ("x" * 80, {"licence": "proprietary"}),
    "project_slug": ("x" * 50, {}),
    "sql_warehouse": ("x" * 80, {}),
    **dict.fromkeys(("owner_group", "group_readers", "group_operators", "group_admins"), ("x" * 100, {})),
    **dict.fromkeys(("catalog_dev", "catalog_staging", "catalog_prod", "volume"), (SIXTY, {})),
    **dict.fromkeys(("schema_dev", "schema_staging", "schema_prod"), (SIXTY, {})),
    "data_path": ("x" * 251 + ".csv", {"data_source": "csv"}),
    "data_table": (".".join(["x" * 255] * 3), {"data_source": "table"}),
    "schedule_cron": ("0 0 16 ? " + ",".join(["JAN"] * 27) + " MON", {}),
    "notification_emails": ("x" * 64 + "@" + ".".join(["y" * 60] * 3) + ".com", {}),
    "node_type": ("r6id." + "x" * 55, {"cluster_size": "custom"}),
    "gpu_node_type": ("g5." + "x" * 57, {"cluster_size": "custom", "accelerator": "gpu"}),
    **dict.fromkeys(
        ("service_principal_staging", "service_principal_prod"), ("00000000-0000-0000-0000-000000000000", {})
    ),
}


def questions() -> dict[str, Any]:
    return {
        name: question
        for name, question in answers_page.read("copier.yml").items()
        if not name.startswith("_") and question.get("when") is not False
    }


def test_every_question_is_declared_with_what_it_reaches_and_tried_with_bad_answers() -> None:
    assert list(questions()) == [name for names in answers_page.groups().values() for name in names]
    assert set(questions()) == set(REACH)
    # Copier takes any text for yes or no.
    assert set(questions()) - {"advanced", "spot_workers"} == {name for name, _ in REFUSED}


def alternatives(name: str) -> list[Any]:
    """Return what stands in for the default of a question: each choice, else what reach.yml says."""
    offered = list(answers_page.choices(name).values())
    if questions()[name].get("multiselect"):
        return [[choice] for choice in offered]
    default = questions()[name]["default"]
    return [choice for choice in offered if choice != default] or [REACH[name]["instead"]]


@pytest.mark.parametrize("name", drawn(list(REACH), SEED, 8))
def test_an_answer_changes_the_declared_files_and_no_other(
    name: str, defaults: Path, rendered: Callable[[Answers], Path]
) -> None:
    given = REACH[name].get("given", {})
    before = contents(rendered(given) if given else defaults)
    present, changed = set(before), set()
    for alternative in alternatives(name):
        after = contents(rendered({**given, name: alternative}))
        reached = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        # A size of one's own starts as the medium one; answers to the questions that it opens change it.
        assert reached - {".copier-answers.yml"} or (name, alternative) in IDLE
        present |= set(after)
        changed |= reached
    patterns = [*answers_page.declared(name), ".copier-answers.yml"]
    assert changed == {path for path in present if any(fnmatch(path, pattern) for pattern in patterns)}
    assert not [pattern for pattern in patterns if not any(fnmatch(path, pattern) for path in changed)]


def test_only_questions_without_choices_are_tried_with_one_answer() -> None:
    assert {name for name in REACH if "instead" not in REACH[name]} == {
        name for name in REACH if answers_page.choices(name)
    }


def test_only_the_question_about_questions_reaches_no_file() -> None:
    assert [name for name, entry in REACH.items() if not entry["files"]] == ["advanced"]


def test_the_page_of_answers_is_up_to_date() -> None:
    assert answers_page.PAGE.read_text(encoding="utf-8") == answers_page.page(), "run `make reference`"


@pytest.mark.parametrize(("name", "answer"), drawn_together(REFUSED, SEED, 40))
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


@pytest.mark.parametrize(("answers", "said"), REFUSED_TOGETHER)
def test_machines_that_cannot_be_are_refused_and_nothing_is_written(
    answers: Answers, said: str, template: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        render(template, tmp_path / "project", answers)
    assert not (tmp_path / "project").exists()


def test_two_environments_cannot_share_their_tables(template: Path, tmp_path: Path) -> None:
    shared = {"catalog_dev": "risk", "catalog_prod": "risk", "schema_dev": "market", "schema_prod": "market"}
    with pytest.raises(ValueError, match="dev environment already uses catalog risk"):
        render(template, tmp_path / "project", shared)


def test_a_time_zone_is_asked_for_only_with_a_schedule(
    rendered: Callable[[Answers], Path], template: Path, tmp_path: Path
) -> None:
    unscheduled = rendered({"schedule_cron": ""})
    answered = yaml.safe_load((unscheduled / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert "time_zone" not in answered
    with pytest.raises(ValueError, match="has an effect only with a schedule"):
        render(template, tmp_path / "refused", {"schedule_cron": "", "time_zone": "Europe/Zurich"})


def test_every_question_that_takes_free_text_has_a_longest_answer() -> None:
    free = {name for name, question in questions().items() if question["type"] == "str"}
    # A time zone is one of a list.
    assert set(LONGEST) == {name for name in free if "choices" not in questions()[name]} - {"time_zone"}


@pytest.mark.parametrize("name", drawn(list(LONGEST), SEED, 6))
def test_an_answer_may_be_as_long_as_what_takes_it_and_no_longer(name: str, asked: Path) -> None:
    longest, needed = LONGEST[name]
    letter = "x" if "x" in longest else "0"
    assert complete(asked, {**needed, name: longest})[0][name] == longest
    with pytest.raises(RefusedError, match=rf"\A{name}: .+\Z"):
        complete(asked, {**needed, name: longest.replace(letter, letter * 2, 1)})


def test_names_that_yaml_reads_as_something_else_stay_names(rendered: Callable[[Answers], Path]) -> None:
    project = rendered({"catalog_dev": "no", "schema_dev": "off", "project_slug": "true"})
    bundle = yaml.safe_load((project / "databricks.yml").read_text(encoding="utf-8"))
    assert load(project, "dev").catalog.name == "no"
    assert bundle["targets"]["dev"]["variables"]["schema_prefix"] == "off"
    assert bundle["bundle"]["name"] == "true"


def test_what_is_computed_is_the_only_thing_without_a_question() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert {name for name in loaded if not name.startswith("_")} - set(questions()) == {NOTES}


@pytest.mark.parametrize("name", questions())
def test_every_question_says_what_it_asks_for_with_an_example_that_is_taken_and_why(
    name: str, asked: Path
) -> None:
    question = questions()[name]
    said = answers_page.parts(question["help"])
    assert len(said.what.split()) > 2
    assert len(said.why.split()) > 4
    assert "default" in question, "it does not work by pressing Enter"
    answer: Any = yaml.safe_load(said.example) if question["type"] in ("int", "bool") else said.example
    if offered := answers_page.choices(name):
        [answer] = [value for title, value in offered.items() if title.startswith(said.example)]
    given = {**REACH[name].get("given", {}), name: [answer] if question.get("multiselect") else answer}
    assert complete(asked, given)[0][name] == given[name]


def test_every_question_says_to_which_group_it_belongs_and_how_many_there_are() -> None:
    groups = answers_page.groups()
    for number, (title, names) in enumerate(groups.items(), 1):
        said = {answers_page.parts(questions()[name]["help"]).group for name in names}
        assert said == {f"{title} ({number} of {len(groups)})"}


def test_the_size_of_a_cluster_is_chosen_with_a_hint_at_what_it_costs() -> None:
    offered = {size: title for title, size in answers_page.choices("cluster_size").items()}
    assert "half the cost of medium" in offered["S"]
    assert "twice the cost of medium" in offered["L"]
    why = {name: answers_page.parts(each["help"]).why for name, each in questions().items() if "help" in each}
    assert "costs about twice as much per hour as the previous one" in why["cluster_size"]
    assert "you pay for 5 machines" in why["cluster_workers"]


@pytest.mark.parametrize(
    ("licence", "identifier"),
    [
        ("proprietary", "LicenseRef-Proprietary"),
        pytest.param("Apache-2.0", "Apache-2.0", marks=pytest.mark.nightly),
    ],
)
def test_a_licence_is_declared_for_every_file_and_its_text_is_there(
    licence: str, identifier: str, rendered: Callable[[Answers], Path]
) -> None:
    project = rendered({"licence": licence, "customer_name": "Müller & Söhne, d'Été 年金"})
    declared = tomllib.loads((project / "REUSE.toml").read_text(encoding="utf-8"))
    everything, engine = declared["annotations"]
    assert declared["version"] == 1
    assert everything == {
        "path": "**",
        "SPDX-FileCopyrightText": "Müller & Söhne, d'Été 年金",
        "SPDX-License-Identifier": identifier,
    }
    # The engine keeps its own licence, whatever the project's is.
    assert (engine["path"], engine["precedence"]) == ("engine/**", "override")
    assert engine["SPDX-License-Identifier"] == "Apache-2.0"
    texts = {path.name: path.read_bytes() for path in (project / "LICENSES").iterdir()}
    assert texts.keys() == {f"{identifier}.txt", "Apache-2.0.txt"}
    assert texts[f"{identifier}.txt"] == (project / "LICENSE").read_bytes()


def test_without_a_licence_none_is_declared(defaults: Path) -> None:
    assert not {"LICENSE", "LICENSES", "NOTICE", "REUSE.toml"} & {path.name for path in defaults.iterdir()}


def test_nothing_asks_for_trust() -> None:
    loaded = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & set(loaded)
