import numpy as np

from acceleray.quant.risk import gaussian_expected_shortfall
from acceleray.stages.backtest.blocks import MODELS
from acceleray.stages.backtest.side_by_side import NAMES, side_by_side
from judging import verdicts_of

RIGHT = np.array([2.3263, 1.9600, float(gaussian_expected_shortfall(1.0, 0.975))])


def test_every_model_is_told_with_its_counts_its_verdict_and_the_reason() -> None:
    losses = np.random.default_rng(5).standard_normal(4000)
    right = np.repeat(RIGHT[:, np.newaxis], losses.size, axis=1)
    verdicts = verdicts_of(losses, np.stack([0.5 * right] * 3 + [right]))
    rows, reasons = side_by_side(verdicts)
    told = [dict(zip(NAMES, row, strict=True)) for row in rows]
    assert [row["model"] for row in told] == list(MODELS)
    exceptions = [int(np.sum(losses > factor * 2.3263)) for factor in (0.5, 0.5, 0.5, 1.0)]
    assert [row["exceptions"] for row in told] == [str(count) for count in exceptions]
    assert {(row["days"], row["expected"]) for row in told} == {("4,000", "40.0")}
    assert [row["verdict"] for row in told] == ["failed", "failed", "failed", "passed"]
    assert [row["decision"] for row in told] == ["benchmark", "benchmark", "benchmark", "promoted"]
    assert "more than the 40.0 expected" in reasons[0]
    assert "agree with the 40.0 expected" in reasons[3]


def test_a_short_record_is_neither_passed_nor_failed() -> None:
    losses = np.random.default_rng(6).standard_normal(200)
    right = np.repeat(RIGHT[:, np.newaxis], losses.size, axis=1)
    rows, reasons = side_by_side(verdicts_of(losses, np.stack([right] * 4)))
    assert {row[NAMES.index("verdict")] for row in rows} == {"too short"}
    assert rows[3][NAMES.index("decision")] == "not promoted"
    assert set(reasons) == {"200 out-of-sample days are too few to test; 250 are needed"}
