"""The lines of an answer: what they say of one."""

from acceleray.stages.what_if.narrative import contributions


def test_one_other_holding_is_no_plural() -> None:
    parts = {f"A{number:02d}": (1.0, float(20 - number)) for number in range(11)}
    lines = contributions(parts, 1)
    assert lines[0].startswith("Contribution after, 1 day ")
    assert lines[-1].split() == ["1", "other", "+1", "+10"]
    assert contributions(parts | {"B": (2.0, 0.5)}, 10)[-1].startswith("2 others ")
