"""What the gate of the backtest is worth: the published table holds what is asked of it, and is quoted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import gate_power
from render import ROOT

PUBLISHED: list[dict[str, Any]] = json.loads(gate_power.PUBLISHED.read_text(encoding="utf-8"))
RIGHT, MILD = gate_power.MODELS


def share(model: str, days: int) -> float:
    """Return the published share of histories in which a model passes the gate."""
    [row] = [row for row in PUBLISHED if (row["model"], row["days"]) == (model, days)]
    return float(row["passed"])


def test_a_right_model_passes_and_one_with_a_tenth_too_little_volatility_is_found_out() -> None:
    assert all(share(RIGHT, days) >= 0.9 for days in gate_power.LENGTHS)
    assert share(MILD, max(gate_power.LENGTHS)) <= 0.2


def test_the_methodology_quotes_the_published_table() -> None:
    text = (ROOT / "template/engine/docs/methodology.md").read_text(encoding="utf-8")
    for line in gate_power.markdown(PUBLISHED):
        assert line in text, line


def test_a_history_depends_on_its_number_alone_and_has_the_variance_of_its_parameters() -> None:
    one = gate_power.history(3, 4000)
    np.testing.assert_array_equal(gate_power.history(3, 2000), one[:2000])
    assert not np.array_equal(gate_power.history(4, 100), one[:100])
    true = gate_power.TRUE
    variance = true.omega / (1.0 - true.alpha - true.gamma / 2.0 - true.beta)
    assert 0.6 < one.var() / variance < 1.6


def test_shares_are_counted_by_model_and_length() -> None:
    row = {"passed": True, "kupiec": True, "exceptions": 8, "rejected": [], "red": False, "nu": 5.0}
    rows = [
        row | {"history": number, "model": model, "days": days, "passed": number == 0}
        for number in range(2)
        for model in gate_power.MODELS
        for days in gate_power.LENGTHS
    ]
    found = gate_power.table(rows)
    assert len(found) == 6
    assert {(each["histories"], each["passed"]) for each in found} == {(2, 0.5)}
