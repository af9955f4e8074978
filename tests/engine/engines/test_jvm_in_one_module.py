"""Spark Connect has no JVM beside this process, so one module alone may touch it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import acceleray
from acceleray.engines.spark import jvm
from acceleray.errors import PortfolioError
from rendered import TEMPLATE

# As imported, so that a fault planted in a copy is found there.
ENGINE = Path(acceleray.__file__).parent
HOME = ENGINE / "engines" / "spark" / "jvm.py"
# What a Spark Connect session does not have, by the names of pyspark 4.1.
JVM = {
    *(
        "_jvm",
        "_jsparkSession",
        "_jsc",
        "_jdf",
        "_jconf",
        "_jschema",
        "_sc",
        "_gateway",
        "_active_spark_context",
    ),
    *("sparkContext", "SparkContext", "SparkConf", "rdd", "parallelize", "py4j", "toJSON"),
}


def touched(source: str) -> Iterator[str]:
    """Yield the names of the JVM that code says: attributes, imports, names, and text that is such a name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=str(name)):
                said = [name]
            case ast.Import(names=names):
                said = [part for one in names for part in one.name.split(".")]
            case ast.ImportFrom(module=module, names=names):
                said = [*(module or "").split("."), *(one.name for one in names)]
            case _:
                said = []
        yield from (name for name in said if name in JVM)


def test_nothing_but_one_module_touches_the_jvm() -> None:
    code = [*ENGINE.rglob("*.py"), *(TEMPLATE / "src").rglob("*.py"), *(TEMPLATE / "notebooks").rglob("*.py")]
    assert len(code) > 400
    found = {path: sorted(set(touched(path.read_text()))) for path in code}
    assert found.pop(HOME)
    assert {str(path): names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "rows = frame.rdd.count()",
        "java = getattr(session, '_jvm')",
        "from pyspark import SparkContext",
        "from py4j.protocol import Py4JError",
        "import py4j.java_gateway",
        "plan = frame._jdf.queryExecution()",
    ],
)
def test_each_way_to_the_jvm_is_seen(line: str) -> None:
    assert list(touched(line))


def test_the_module_is_imported_without_spark() -> None:
    imports = [
        node for node in ast.parse(HOME.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {one.name for node in imports if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert not {name for name in names if name.split(".")[0] in ("pyspark", "py4j")}


def test_what_another_pyspark_lacks_is_one_line() -> None:
    session: Any = SimpleNamespace(sparkContext=SimpleNamespace())
    for ask, name in ((jvm.executors, "_jsc"), (lambda of: list(jvm.running_jobs(of)), "_jvm")):
        with pytest.raises(PortfolioError, match=rf"^pyspark \S+ has no {name}, which .*\(seen in 4\.1\.4\)"):
            ask(session)
