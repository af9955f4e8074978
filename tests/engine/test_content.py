"""What is the same content, and what is not; and what code a result depends on."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.engines.ray.processors import processor
from acceleray.runtime import made_with as module
from acceleray.runtime.content import content_key
from acceleray.runtime.made_with import code_of, made_with
from acceleray.runtime.shelf import Kind
from acceleray.settings import Risk
from acceleray.stages.calibrate.fits import fit_before
from acceleray.stages.calibrate.schedule import FIT
from acceleray.stages.train.alone import FINAL
from acceleray.stages.train.validation import FOLD


@dataclass(frozen=True)
class Pair:
    left: float
    right: Any = None


OTHERS = (
    (1,),
    (1.0,),
    (True,),
    ("1",),
    (b"1",),
    (None,),
    ((1,),),
    (1, 1),
    ("ab", "c"),
    ("a", "bc"),
    (0.1,),
    (0.1 + 2**-56,),
    (-0.0,),
    (0.0,),
    (float("nan"),),
    (date(2024, 1, 2),),
    (Pair(1.0),),
    (Pair(1.0, 2),),
    ({"a": 1},),
    ({"a": 2},),
    (Risk(),),
    (Risk(var_confidence=0.95),),
    (np.zeros(2),),
    (np.zeros((2, 1)),),
    (np.zeros(2, dtype=np.int64),),
    (np.array([0.0, -0.0]),),
)


def test_different_contents_have_different_keys() -> None:
    assert len({content_key(*parts) for parts in OTHERS}) == len(OTHERS)


def test_the_same_content_has_the_same_key_wherever_it_lies() -> None:
    wide = np.arange(12.0).reshape(4, 3)
    assert content_key(wide[:, 1]) == content_key(np.array([1.0, 4.0, 7.0, 10.0]))
    assert content_key({"a": 1, "b": [2]}) == content_key({"b": (2,), "a": 1})
    assert content_key(np.float64(0.3)) == content_key(0.3)


@pytest.mark.parametrize("thing", [object(), {1, 2}, np.array([object()])])
def test_what_has_no_content_of_its_own_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="content"):
        content_key(thing)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package with a function, what it imports, and what it does not."""
    package = tmp_path / "some_project"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "work.py").write_text("from some_project.inner import deep\n\ndef work(): return deep\n")
    (package / "inner.py").write_text("import numpy as np\n\ndeep = 1\n")
    (package / "apart.py").write_text("nothing = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "some_project", raising=False)
    code_of.cache_clear()
    return package


def test_code_counts_at_any_depth_and_no_other_code_does(own: Path) -> None:
    before = code_of("some_project.work")
    for name, content, counts in (
        ("apart.py", "nothing = 2\n", False),
        ("inner.py", "import numpy as np\n\ndeep = 2\n", True),
        ("work.py", "def work(): return 3\n", True),
    ):
        (own / name).write_text(content)
        code_of.cache_clear()
        after = code_of("some_project.work")
        assert (after != before) is counts, name
        before = after


def test_libraries_that_are_used_count_with_their_versions(own: Path) -> None:
    _, libraries = code_of("some_project.work")
    assert f"numpy {np.__version__}" in libraries
    assert not any(name.startswith("xgboost") for name in libraries)
    _, of_fits = code_of(fit_before.__module__)
    assert {"numpy", "scipy", "arch"} <= {name.partition(" ")[0] for name in of_fits}


def test_another_processor_computes_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processor()
    before = made_with(fit_before)
    monkeypatch.setattr(module, "processors", lambda local: ("another processor",))
    assert made_with(fit_before) != before


@pytest.mark.parametrize(
    ("kind", "computing"),
    [
        (FIT, {"acceleray.quant.garch", "acceleray.stages.calibrate.fits"}),
        (FOLD, {"acceleray.quant.boosting", "acceleray.quant.evaluation"}),
        # Its rows are binned before they are shared with the task.
        (FINAL, {"acceleray.quant.boosting", "acceleray.quant.bins"}),
    ],
)
def test_kept_work_depends_on_what_computes_it_and_not_on_the_report(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, computing: set[str]
) -> None:
    read, source = [], module._source

    def recorded(name: str) -> bytes | None:
        read.append(name)
        return source(name)

    monkeypatch.setattr(module, "_source", recorded)
    code_of.cache_clear()
    code_of(kind.function.__module__)
    code_of.cache_clear()
    assert computing <= set(read)
    assert not any(name.startswith(("acceleray.report", "acceleray.cli")) for name in read)
    # A fit is kept for years: nothing of how runs are run may invalidate it.
    assert kind is not FIT or not any(name.startswith("acceleray.runtime") for name in read)
