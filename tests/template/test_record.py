"""The published out-of-sample record: made again, and quoted as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

import record
from render import ROOT

PUBLISHED: dict[str, Any] = json.loads(record.PUBLISHED.read_text(encoding="utf-8"))


def again(name: str) -> list[str]:
    """Return where a record made now differs from the published one."""
    return record.differences(record.published(*record.record(name)), PUBLISHED[name], name)


def test_the_record_of_an_index_is_the_published_one() -> None:
    assert again("sp500") == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["sample", "nasdaq", "indices"])
def test_every_other_record_is_the_published_one(name: str) -> None:
    assert again(name) == []


def test_a_number_that_differs_is_named() -> None:
    changed = json.loads(json.dumps(PUBLISHED["sample"]))
    changed["models"]["ewma_normal"]["exceptions"] += 1
    changed["windows"][0]["z2"] *= 1.02
    # One simulated record more or less is no other record.
    changed["models"]["ewma_normal"]["coverage_p"] += 0.001
    lines = record.differences(changed, PUBLISHED["sample"], "sample")
    assert len(lines) == 2
    assert lines[0].startswith("sample.models.ewma_normal.exceptions: 156 is not the published 155")


def test_the_pages_quote_the_published_record() -> None:
    text = (ROOT / "template/engine/docs/record.md").read_text(encoding="utf-8")
    for name in ("sample", "nasdaq", "sp500"):
        for line in record.table(PUBLISHED[name]):
            assert line in text, line
    for line in record.window_table(PUBLISHED["sample"]):
        assert line in text, line
    front = (ROOT / "docs/measurements.md").read_text(encoding="utf-8")
    counts = {name: each["exceptions"] for name, each in PUBLISHED["sample"]["models"].items()}
    calibrated = f"{counts['filtered_historical_calibrated']}, expected 73.1"
    assert calibrated in front
    both = f"{counts['historical_simulation']} and {counts['ewma_normal']}: both fail"
    assert both in front
    assert f"| {counts['filtered_historical_ewma']}: passes |" in front
    of = {name: PUBLISHED[name]["models"]["filtered_historical_calibrated"] for name in ("nasdaq", "sp500")}
    assert f"({of['nasdaq']['exceptions']} and {of['sp500']['exceptions']} exceptions where 40.3" in front
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{counts['filtered_historical_calibrated']} exceptions, 73.1 expected" in readme


def test_where_calibration_buys_nothing_it_is_said_and_where_it_does_too() -> None:
    verdicts = {
        name: {model: each["passed"] for model, each in PUBLISHED[name]["models"].items()}
        for name in PUBLISHED
    }
    assert verdicts["sample"] == dict(zip(record.MODELS, (False, False, True, True), strict=True))
    for name in ("nasdaq", "sp500", "indices"):
        assert verdicts[name] == dict(zip(record.MODELS, (False, False, False, True), strict=True))
