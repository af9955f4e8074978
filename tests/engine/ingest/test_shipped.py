"""Data sets that ship with libraries come out of their files as the libraries themselves load them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import arch.data.default
import arch.data.wti
import pandas as pd
import pytest
from skfolio.datasets import load_sp500_dataset, load_sp500_index

from acceleray.errors import PortfolioError
from acceleray.stages.ingest import shipped
from rendered import python_path


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (shipped.sample_prices, load_sp500_dataset),
        (shipped.sample_index, lambda: load_sp500_index()["SP500"]),
        (shipped.oil_prices, lambda: arch.data.wti.load()["DCOILWTICO"]),
        (shipped.bond_yields, arch.data.default.load),
    ],
)
def test_a_data_set_is_the_one_that_its_library_loads(
    ours: Callable[[], object], theirs: Callable[[], object]
) -> None:
    here, there = pd.DataFrame(ours()), pd.DataFrame(theirs())
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_its_library_is_not_imported() -> None:
    asked = (
        "import sys; from acceleray.stages.ingest import shipped as s;"
        "s.sample_prices(); s.sample_index(); s.oil_prices(); s.bond_yields();"
        "print({'skfolio', 'arch', 'statsmodels', 'sklearn'} & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", asked],
        env={"PYTHONPATH": python_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "set()\n"


def test_without_the_library_one_line_names_it() -> None:
    with pytest.raises(PortfolioError, match="nothing_like_it, which is not installed"):
        shipped._read("nothing_like_it", "prices.csv.gz")
