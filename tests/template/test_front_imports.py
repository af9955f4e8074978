"""Code written for 0.2.0 imports what is in the engine now; what is not certain is named."""

from __future__ import annotations

import ast

import pytest

from acceleray_cli.imports import rewritten
from acceleray_cli.modules import Modules, modules
from acceleray_cli.moved import table

OLD = [
    f"src/portfolio/{name}"
    for name in (
        *("__init__.py", "__main__.py", "errors.py", "run.py", "workload.py", "report/risk_words.py"),
        *("evidence.py", "report/stress/__init__.py"),
        *("features/__init__.py", "features/raw.py", "simulate/__init__.py", "simulate/world.py"),
        *("simulate/engine.py", "quant/__init__.py", "quant/backtest.py", "quant/risk.py"),
        *("tables/__init__.py", "tables/book.py"),
        *("tables/own/__init__.py", "workloads/__init__.py", "workloads/end_to_end_pipeline.py"),
    )
] + ["tests/workloads/in_process.py"]
PRESENT = [
    *("src/portfolio/__init__.py", "src/portfolio/__main__.py", "src/portfolio/tables/__init__.py"),
    *("src/portfolio/workloads/__init__.py", "src/portfolio/workloads/end_to_end_pipeline.py"),
    *("src/portfolio/simulate/mine.py", "src/portfolio/tables/loans.py", "engine/acceleray/quant/risk.py"),
]
OWN = {"src/portfolio/tables/own/loans.py": "src/portfolio/tables/loans.py"}


@pytest.fixture
def where() -> Modules:
    return modules(OLD, PRESENT, OWN, table())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from portfolio.run import Run", "from acceleray.runtime.run import Run"),
        ("from portfolio.features import build", "from acceleray.stages.features.stage import build"),
        ("from portfolio.features import raw", "from acceleray.stages.features import raw"),
        (
            "from portfolio.simulate import world, engine",
            "from acceleray.stages.simulate import scenario_inputs as world, engine",
        ),
        (
            "from portfolio.quant.backtest import acerbi_szekely_z2, kupiec",
            "from acceleray.quant.backtest import kupiec\n"
            "from acceleray.quant.shortfall_tests import acerbi_szekely_z2",
        ),
        ("from portfolio import tables as t", "from acceleray import tables as t"),
        ("from portfolio.tables import RETURNS", "from acceleray.tables import RETURNS"),
        ("from portfolio.tables.own.loans import LOANS", "from portfolio.tables.loans import LOANS"),
        ("from portfolio.tables.own import loans", "from portfolio.tables import loans"),
        ("import portfolio.quant.risk as r", "import acceleray.quant.risk as r"),
        ("from portfolio.quant.risk import *", "from acceleray.quant.risk import *"),
        (
            "from portfolio.errors import (  # ours\n    E,\n)",
            "from acceleray.errors import (  # ours\n    E,\n)",
        ),
        ("if True:\n    from .run import Run", "if True:\n    from acceleray.runtime.run import Run"),
        ("x = 1; from portfolio.run import Run  # ü", "x = 1; from acceleray.runtime.run import Run  # ü"),
        # What has not moved stays as it is, and so does what a project added where something else moved.
        ("from portfolio.simulate.mine import ours", "from portfolio.simulate.mine import ours"),
        ("from portfolio.simulate import mine", "from portfolio.simulate import mine"),
        ("from portfolio.workloads.end_to_end_pipeline import run",) * 2,
        ("from portfolio import PROJECT\nfrom acceleray.tables import RETURNS",) * 2,
        (
            "from portfolio.run import Run\nfrom portfolio.simulate.mine import ours\n"
            "from portfolio.tables import R",
            "from acceleray.runtime.run import Run\nfrom acceleray.tables import R\n"
            "from portfolio.simulate.mine import ours",
        ),
        (
            'from portfolio.workloads import find, names\nfind("one")\nnames()',
            'from portfolio import PROJECT\nPROJECT.workload("one")\nPROJECT.workload_names()',
        ),
        (
            'from portfolio import workloads\nworkloads.find("one")',
            'from portfolio import PROJECT\nfrom portfolio import workloads\nPROJECT.workload("one")',
        ),
        (
            "from portfolio.workload import execute\nexecute(one, two, three)",
            "from portfolio import PROJECT\nfrom acceleray.runtime.workload import execute\n"
            "execute(one, two, three, PROJECT)",
        ),
        (
            "from portfolio.workload import Workload\nWorkload(\n    name='x',\n"
            "    reads=(\n        1,\n    ),\n    writes=(2,),\n)",
            "from acceleray.runtime.workload import Workload\nWorkload(\n    name='x',\n)",
        ),
        (
            "from portfolio.evidence import record\nrecord(run, NAME, '')",
            "from acceleray.runtime.evidence import record\nrecord(run, '')",
        ),
        (
            "from portfolio.workload import Workload\nWorkload(reads=(), name='x')",
            "from acceleray.runtime.workload import Workload\nWorkload(name='x')",
        ),
    ],
)
def test_what_is_certain_is_rewritten_and_nothing_else(before: str, after: str, where: Modules) -> None:
    new, remarks = rewritten(before.encode(), where, "portfolio")
    # Order within a block follows the new names, and is no matter of this test where PROJECT came in.
    assert sorted(new.decode().splitlines()) == sorted(after.splitlines())
    assert not remarks
    ast.parse(new)
    assert rewritten(new, where, "portfolio") == (new, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import portfolio.errors", "1: portfolio.errors is now acceleray.errors"),
        (
            'patch("portfolio.simulate.world.one")',
            "1: portfolio.simulate.world is now acceleray.stages.simulate.scenario_inputs",
        ),
        ("from portfolio.report.stress import write", "1: portfolio.report.stress.write is gone"),
        ("from workloads.in_process import rows", "1: workloads.in_process.rows is gone"),
        (
            "from portfolio.simulate import (\n    world,  # ours\n)",
            "1: portfolio.simulate.world is now acceleray.stages.simulate.scenario_inputs",
        ),
        (
            "from portfolio.workloads import find\n\n\ndef f(find):\n    return find('x')",
            "5: portfolio.workloads.find is now portfolio.PROJECT.workload",
        ),
        (
            "from portfolio.workload import execute\nexecute(*all_of_it)",
            "2: portfolio.workload.execute is now acceleray.runtime.workload.execute, with other arguments",
        ),
        (
            "from portfolio.workload import Workload\nWorkload(**all_of_it)",
            "2: portfolio.workload.Workload is now acceleray.runtime.workload.Workload, with other arguments",
        ),
        (
            "<<<<<<< before updating\nfrom portfolio.run import Run\n=======",
            "2: portfolio.run is now acceleray.runtime.run",
        ),
    ],
)
def test_what_is_not_certain_is_named_with_its_line(text: str, said: str, where: Modules) -> None:
    assert said in [str(remark) for remark in rewritten(text.encode(), where, "")[1]]


def test_a_line_is_named_where_it_is_after_the_rest_was_rewritten(where: Modules) -> None:
    text = (
        "from portfolio.workload import Workload\nWorkload(\n    reads=(),\n    writes=(),\n)\n"
        "import portfolio.errors\n"
    )
    new, remarks = rewritten(text.encode(), where, "")
    (remark,) = remarks
    assert new.decode().splitlines()[remark.line - 1] == "import portfolio.errors"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"def broken(:\n", b"x = 1\r"])
def test_what_is_no_python_in_utf_8_comes_back_as_it_is(text: bytes, where: Modules) -> None:
    assert rewritten(text, where, "")[0] == text
