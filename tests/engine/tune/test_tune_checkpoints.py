from __future__ import annotations

from collections.abc import Callable

import pytest

from acceleray.engines.ray.proposals import Report, Trial
from acceleray.settings import Settings
from acceleray.stages.tune.checkpoints import KeptTrials


@pytest.fixture
def project(settings: Callable[..., Settings]) -> Settings:
    return settings("tune.trials=5")


def test_a_kept_trial_comes_back_bit_for_bit(project: Settings) -> None:
    parameters = {"max_depth": 3, "learning_rate": 0.1 + 0.2, "reg_lambda": 1e-7 / 3}
    trial = Trial(4, parameters, [Report(10, 1 / 3, "[NaN, 0.1, [1.0]]"), Report(20, -0.1)], "")
    failed = Trial(2, parameters, [], "ValueError: no")
    kept = KeptTrials(project, "one")
    kept.keep(trial)
    kept.keep(failed)
    again = KeptTrials(project, "one").all()
    assert again == {2: failed, 4: trial}
    assert isinstance(again[4].parameters["max_depth"], int)


def test_trials_of_another_problem_are_not_found_and_forgotten_ones_are_gone(project: Settings) -> None:
    kept = KeptTrials(project, "one")
    kept.keep(Trial(1, {}, [Report(10, 0.5)]))
    assert KeptTrials(project, "two").all() == {}
    kept.forget()
    assert KeptTrials(project, "one").all() == {}


def test_a_damaged_trial_is_run_again(project: Settings) -> None:
    kept = KeptTrials(project, "one")
    for number in (1, 2):
        kept.keep(Trial(number, {}, [Report(10, 0.5)]))
    file = sorted(path for path in kept.scratch.parent.iterdir() if path.suffix == ".parquet")[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    assert set(KeptTrials(project, "one").all()) == {2}
