"""What the engine uses that its makers keep private is listed in the docs, with the version it is of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from acceleray.engines.ray import private
from acceleray.engines.spark import jvm
from rendered import ENGINE

PAGE = (ENGINE / "docs/first_deployment.md").read_text(encoding="utf-8")
[ROWS] = re.findall(r"## Private interfaces that the engine uses\n\n(.*?)\n\n", PAGE, re.DOTALL)


def row(maker: str) -> list[str]:
    """Return the cells of a maker's row."""
    [line] = [line for line in ROWS.splitlines() if line.startswith(f"| {maker} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(("maker", "package"), [("Ray", "ray"), ("MLflow", "mlflow"), ("Spark", "pyspark")])
def test_the_version_is_the_one_that_is_pinned(maker: str, package: str) -> None:
    declared = tomllib.loads((ENGINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*declared["dependencies"], *declared["optional-dependencies"]["local"]]
    [pin] = [re.search(r"==([0-9.]+)", line)[1] for line in wanted if re.match(rf"{package}\b", line)]  # type: ignore[index]
    assert pin.startswith(row(maker)[3]), f"{pin} is pinned; look again and change the page"


def test_each_private_module_of_ray_and_where_it_is_used_are_named() -> None:
    _, what, where, _ = row("Ray")
    calls = re.findall(
        r'private\("ray\.([\w.]+)"(?:, "(\w+)")?\)', Path(private.__file__).read_text(encoding="utf-8")
    )
    used = {".".join(filter(None, call)) for call in calls}
    assert len(used) > 3
    assert sorted(name for name in used if f"`{name}`" not in what) == []
    assert (ENGINE / "acceleray" / where.strip("`")).is_file()


def test_each_private_name_of_spark_and_where_it_is_used_are_named() -> None:
    _, what, where, seen = row("Spark")
    code = Path(jvm.__file__).read_text(encoding="utf-8")
    used = {name for call in re.findall(r"_private\(.*", code) for name in re.findall(r'"(_\w+)"', call)}
    assert len(used) > 3
    assert sorted(name for name in used if name not in what) == []
    assert (ENGINE / "acceleray" / where.split(";")[0].strip("`")).is_file()
    assert seen == jvm.SEEN_IN
