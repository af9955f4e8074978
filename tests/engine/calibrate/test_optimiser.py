"""Which optimiser fits, and what is said where it is not the one that was asked for."""

import numpy as np
import pytest

from acceleray.compiled import CannotCompileError
from acceleray.settings.sections import Calibration, Paths
from acceleray.stages.calibrate import optimiser
from acceleray.stages.calibrate.fits import fit_before


@pytest.fixture
def settings(new_settings, tmp_path):
    made = new_settings()()
    return made.model_copy(update={"paths": Paths(cache=tmp_path)})


def test_machine_code_lies_in_the_folder_of_what_is_fetched_once(settings, tmp_path, monkeypatch):
    wanted = []
    monkeypatch.setattr(optimiser, "load", lambda *given, **how: wanted.append((*given, how)))
    assert optimiser.machine_code_folder(settings, pytest.fail) == tmp_path / "compiled"
    assert wanted == [(optimiser.PROGRAM, tmp_path / "compiled", {"kept": True})]


def test_the_optimiser_of_arch_is_a_setting(settings, monkeypatch):
    monkeypatch.setattr(optimiser, "load", pytest.fail)
    by_arch = settings.model_copy(update={"calibration": Calibration(optimiser="arch")})
    assert optimiser.machine_code_folder(by_arch, pytest.fail) is None


def test_where_nothing_can_be_compiled_arch_fits_and_one_line_says_why(settings, monkeypatch):
    def refuse(*_, **__):
        raise CannotCompileError("numba is not installed")

    monkeypatch.setattr(optimiser, "load", refuse)
    said = []
    assert optimiser.machine_code_folder(settings, said.append) is None
    assert said == [
        "    numba is not installed: arch is used instead of the compiled optimiser, ten times as slow"
    ]


def test_a_fit_comes_from_the_optimiser_that_was_chosen():
    returns = 0.01 * np.random.default_rng(3).standard_t(5, (900, 1))
    compiled, by_arch = (
        fit_before((900, 0), returns, window=900, minimum=500, stale_after=10, **how)
        for how in ({}, {"compiled_in": None})
    )
    assert (compiled.starts, by_arch.starts) == (3, 1)
    assert compiled.log_likelihood == pytest.approx(by_arch.log_likelihood, abs=1e-3)
