"""Every workload made again from its archive after prices, tables, history and engine have moved on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from acceleray.archive.manifest import seal
from archive.projects import Project, Said, change, make

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

SECOND_MORNING = "second morning"
# In the order in which they run: scoring needs a champion.
WORKLOADS = (
    *("end_to_end_pipeline", "batch_inference", "distributed_training", "hyperparameter_tuning"),
    *("portfolio_model_calibration", "investment_signal_prioritization", "risk_stress_testing"),
)
ES = ("quant/risk.py", "shortfall = (total + (mass - whole) * edge) / mass", "shortfall = total / mass")


@dataclass(frozen=True)
class Archived:
    """A project, and the archives of its runs by what ran."""

    project: Project
    archives: dict[str, Path]

    def reproduce(self, what: str, folder: Path | None = None) -> Said:
        archive = self.archives[what]
        return self.project.command("reproduce", archive.name, "--from", str(folder or archive.parent))


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """Return archives of each workload and of a second morning by a newer engine; the rest is gone."""
    project, vault = make(tmp_path_factory.mktemp("desk") / "project"), tmp_path_factory.mktemp("vault")
    archives: dict[str, Path] = {}

    def archive(name: str, run_id: str) -> None:
        said = project.command("archive", run_id, "--to", str(vault), "--pack", str(vault / f"{run_id}.zip"))
        assert said.code == 0, said.error
        archives[name] = vault / run_id

    for workload in WORKLOADS:
        archive(workload, project.run(workload))
    # An update of the engine changes a formula, and a day passes.
    project.edit(*ES)
    project.deliver(1)
    archive(SECOND_MORNING, project.run("end_to_end_pipeline"))
    project.edit(ES[0], ES[2], ES[1])
    project.deliver(0)
    project.run("end_to_end_pipeline")
    tidied = project.command("maintain", "--set", "maintenance.vacuum_after_h=0")
    assert tidied.code == 0, tidied.error
    shutil.rmtree(project.folder / "var" / "mlflow")
    return Archived(project, archives)


@pytest.mark.parametrize("what", [*WORKLOADS, SECOND_MORNING])
def test_every_table_is_equal_bit_for_bit(archived: Archived, what: str) -> None:
    said = archived.reproduce(what)
    results = {line.split()[0] for line in said.out.splitlines()[1:]}
    assert (said.code, results) == (0, {"equal"}), said.out + said.error[-2000:]
    assert "tables are equal to those of run" in said.error


def test_a_run_that_delta_holds_no_longer_is_refused_with_what_to_do(
    archived: Archived, tmp_path: Path
) -> None:
    run_id = archived.archives["end_to_end_pipeline"].name
    said = archived.project.command("archive", run_id, "--to", str(tmp_path))
    assert said.code == 2
    assert "has changed since the run read it" in said.error or "is gone: VACUUM" in said.error


@pytest.fixture
def copied(archived: Archived, tmp_path: Path) -> Callable[[str], Path]:
    def copy(what: str) -> Path:
        return shutil.copytree(archived.archives[what], tmp_path / archived.archives[what].name)

    return copy


def test_one_value_changed_in_an_archive_is_refused_by_its_hash(
    archived: Archived, copied: Callable[[str], Path]
) -> None:
    folder = copied("risk_stress_testing")
    path = folder / "tables" / "wrote" / "gold.risk_measures.parquet"
    rows = pq.read_table(path)
    at = rows.schema.get_field_index("value")
    pq.write_table(rows.set_column(at, "value", pc.multiply(rows["value"], pa.scalar(1.0 + 1e-15))), path)
    said = archived.reproduce("risk_stress_testing", folder)
    assert said.code == 2
    assert (
        "is damaged: tables/wrote/gold.risk_measures.parquet has changed since it was archived" in said.error
    )


def test_a_formula_changed_in_the_archived_engine_is_found_in_the_tables(
    archived: Archived, copied: Callable[[str], Path]
) -> None:
    folder = copied("risk_stress_testing")
    change(folder / "project" / "engine", *ES)
    seal(folder)
    said = archived.reproduce("risk_stress_testing", folder)
    assert said.code == 1, said.error
    [line] = [line for line in said.out.splitlines() if " gold.risk_measures " in line]
    assert line.startswith("different")
    assert "first at method=filtered_historical portfolio_id=REFERENCE measure=expected_shortfall" in line
    assert "Other code than then" in said.out
    assert "equal      silver.prices " in said.out


SOURCE = '''
"""Prices of a vault that is closed at night."""

from acceleray.extend import PriceSource


def vault(spark, settings):
    return spark.read.csv((settings.project_dir / "vault.csv").as_uri(), header=True)


SOURCES = (PriceSource("vault", vault),)
'''


def test_a_source_of_the_projects_own_is_not_asked_again(tmp_path: Path) -> None:
    project = make(tmp_path / "project")
    (project.folder / "src/portfolio/sources.py").write_text(SOURCE, encoding="utf-8")
    (project.folder / "prices.csv").rename(project.folder / "vault.csv")
    run_id = project.run("portfolio_model_calibration", "--set", "market_data.source=vault")
    (project.folder / "vault.csv").unlink()
    said = project.command("archive", run_id, "--to", str(tmp_path))
    assert said.code == 0, said.error
    shutil.rmtree(project.folder / "var")
    said = project.command("reproduce", run_id, "--from", str(tmp_path))
    results = {line.split()[0] for line in said.out.splitlines()[1:]}
    assert (said.code, results) == (0, {"equal"}), said.out + said.error[-2000:]
