from pathlib import Path

import pytest
from pydantic import ValidationError

import rendered
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, known_names, load

CONF = rendered.project() / "conf"
ENVIRONMENTS = sorted(
    path.stem for path in CONF.glob("*.yml") if path.stem not in ("base", "book", "limits", "stress")
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "base.yml").write_text(
        "project: {name: P, customer: Müller}\nray: {workers: 1}\nseed: 1\n", "utf-8"
    )
    (conf / "local.yml").write_text("ray: {workers: 2}\n")
    (conf / "dev.yml").write_text("")
    return tmp_path


def refused(project: Path, *overrides: str, environment: str = "local") -> str:
    """Return the one line with which settings are refused."""
    with pytest.raises(PortfolioError) as caught:
        load(project, environment, overrides)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_an_override_wins_over_the_environment_and_that_over_the_base(project: Path) -> None:
    assert load(project, "dev").ray.workers == 1
    assert load(project).ray.workers == 2
    assert load(project, overrides=["ray.workers=3", "seed=5"]).ray.workers == 3
    assert load(project, overrides=["seed=5"]).seed == 5
    assert load(project).project.customer == "Müller"


def test_an_unknown_setting_is_refused_with_the_nearest_name(project: Path) -> None:
    assert refused(project, "ray.worker=3") == "Unknown setting 'ray.worker'; did you mean ray.workers?"
    assert refused(project, "zzz=3") == "Unknown setting 'zzz'; see conf/base.yml for the names."
    (project / "conf" / "local.yml").write_text("ray: {worker: 2}\n")
    assert refused(project) == "Unknown setting 'ray.worker' in conf/; did you mean ray.workers?"


@pytest.mark.parametrize("override", ["ray.workers", "=3", "", "ray.workers:3"])
def test_an_override_without_name_or_value_is_refused(project: Path, override: str) -> None:
    assert refused(project, override) == f"--set needs section.key=value, not '{override}'."


@pytest.mark.parametrize(
    "override",
    [
        "ray.workers=many",
        "ray.workers=-1",
        "risk.var_confidence=99",
        "spark.driver_memory=4",
        "profile=laptop",
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name(project: Path, override: str) -> None:
    assert refused(project, override).startswith(f"Setting {override.split('=')[0]} = ")


def test_what_decides_which_files_are_read_cannot_be_overridden_in_them(project: Path) -> None:
    assert "--environment" in refused(project, "environment=dev")
    assert "Unknown setting" in refused(project, "project_dir=/tmp")


def test_a_missing_environment_names_those_that_exist(project: Path) -> None:
    assert "environments here: dev, local" in refused(project, environment="prod")


def test_a_file_that_is_not_yaml_is_refused_with_its_path(project: Path) -> None:
    (project / "conf" / "local.yml").write_text("ray: {workers: 2\n")
    assert "local.yml is not valid YAML" in refused(project)
    (project / "conf" / "local.yml").write_bytes(b"\xff\xfe\x00")
    assert "local.yml is not valid YAML" in refused(project)


def test_a_path_or_a_name_is_taken_as_it_is_written(project: Path) -> None:
    settings = load(
        project, overrides=["market_data.path=1e3", "market_data.name=no", "market_data.table=a=b"]
    )
    assert (settings.market_data.path, settings.market_data.name) == ("1e3", "no")
    assert settings.market_data.table == "a=b"


def test_a_name_of_an_earlier_release_goes_on_working(project: Path) -> None:
    assert load(project, overrides=["backtest.historical_window_d=300"]).backtest.minimum_history_d == 300
    (project / "conf/base.yml").write_text(
        "project: {name: P, customer: C}\nbacktest: {minimum_history_d: 500}\n", "utf-8"
    )
    (project / "conf/local.yml").write_text("backtest: {historical_window_d: 260}\n")
    assert load(project).backtest.minimum_history_d == 260


def test_a_list_is_written_as_yaml(project: Path) -> None:
    assert load(project, overrides=["simulation.horizons_d=[1, 5]"]).simulation.horizons_d == (1, 5)


def test_settings_cannot_be_changed_once_read(project: Path) -> None:
    with pytest.raises(ValidationError):
        load(project).ray.workers = 5


def test_state_is_kept_in_the_project_folder(project: Path) -> None:
    assert load(project).state_dir == project / "var"
    assert load(project, overrides=["paths.state=/elsewhere"]).state_dir == Path("/elsewhere")


def test_what_is_a_machines_alone_is_kept_in_the_state_unless_it_has_a_place_of_its_own(
    project: Path,
) -> None:
    assert load(project).machine_dir == load(project).state_dir
    apart = load(project, overrides=["paths.state=/shared", "paths.machine=/tmp/here"])
    assert (apart.state_dir, apart.machine_dir) == (Path("/shared"), Path("/tmp/here"))


def test_where_and_how_fast_it_runs_decides_no_number(project: Path) -> None:
    places = [
        "ray.workers=7",
        "spark.cores=1",
        "paths.state=x",
        "catalog.gold=g",
        "market_data.path=/a/b.csv",
        "maintenance.optimize_above_files=3",
    ]
    assert load(project, overrides=places).numbers() == load(project).numbers()
    assert load(project, overrides=["ray.gpus_per_node=4"]).numbers() == load(project).numbers()
    gpu = load(project, overrides=["model.device=cuda"])
    assert gpu.numbers() != load(project).numbers() == gpu.on_cpu().numbers()
    assert load(project, overrides=["simulation.scenarios=5"]).numbers() != load(project).numbers()


def test_every_setting_has_a_name_that_can_be_overridden() -> None:
    assert {"seed", "as_of", "risk.var_confidence", "paths.state"} <= set(known_names())
    assert len(known_names()) == len(set(known_names()))
    assert "project" not in known_names()


@pytest.mark.skipif(not (CONF / "base.yml").is_file(), reason="settings of a generated project")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_of_this_project_is_valid(environment: str) -> None:
    assert isinstance(load(CONF.parent, environment), Settings)
