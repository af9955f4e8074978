"""The published out-of-sample record: four models on the sample and on two indices, as `docs/record.json`.

    python scripts/record.py [--check | --table] [--workers 2] [--only sample|nasdaq|sp500|indices]

Prices ship with skfolio (twenty companies, 1990 to 2022) and arch (NASDAQ and S&P 500, 1999 to 2018; indices
is a book of both). The settings are those of a new project. `--table` prints the published tables. `--check`
compares with the file instead of writing it, and ends with 1 where a number differs; counts must be equal,
all else within a hundredth part or 0.003.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "docs" / "record.json"
sys.path.insert(0, str(ROOT / "template" / "engine"))

from acceleray.quant.backtest import verdict  # noqa: E402
from acceleray.quant.null_path import follow  # noqa: E402
from acceleray.quant.shortfall_tests import acerbi_szekely_z2  # noqa: E402
from acceleray.quant.spans import modelled  # noqa: E402
from acceleray.settings import Risk  # noqa: E402
from acceleray.settings.backtest import Backtest  # noqa: E402
from acceleray.settings.sections import Calibration, MarketData, Simulation  # noqa: E402
from acceleray.stages.backtest import nulls  # noqa: E402
from acceleray.stages.backtest.blocks import (  # noqa: E402
    MODELS,
    WITHOUT_WINDOW,
    Block,
    BlockForecasts,
    forecast_block,
)
from acceleray.stages.backtest.judging import Judged, judged  # noqa: E402
from acceleray.stages.calibrate.fits import fit_before  # noqa: E402
from acceleray.stages.calibrate.schedule import scheduled  # noqa: E402
from record_prices import RECORDS, Returns, Values, ingested  # noqa: E402

SEED = 20_260_101
# A record of a thousand simulated ones more or less, where a last bit of a fit moves a statistic across it.
CLOSE, NEAR = 0.01, 0.003
_P_VALUE = re.compile(r"p [0-9.e-]+ after Holm|p after Holm [0-9.e-]+")
LABELS = {
    "historical_simulation": "historical simulation",
    "ewma_normal": "EWMA-normal (RiskMetrics)",
    "filtered_historical_ewma": "filtered historical simulation, EWMA filter",
    "filtered_historical_calibrated": "filtered historical simulation, calibrated GJR-GARCH-t",
}
HEADER = (
    "| model | exceptions | Kupiec p | coverage p | clusters p | Z2 (critical) | Z2 p | verdict |",
    "|---|---:|---:|---:|---:|---:|---:|---|",
)
WINDOW_HEADER = ("| look-back | model | exceptions | Kupiec p | Z2 |", "|---:|---|---:|---:|---:|")


def block_of(span: tuple[int, int], returns: Returns) -> Block:
    """Return one block of the schedule with the fits that are made before it."""
    calibration, data, first = Calibration(), MarketData(), span[0]
    seen = modelled(returns.values, returns.spans, data.longest_span_d)
    window, minimum, stale = calibration.window_d, calibration.minimum_history_d, data.stale_after_d
    count = seen.shape[1]
    fits = [fit_before((first, c), seen, window, minimum, stale, data.stale_price_d) for c in range(count)]
    return Block(*span, tuple(fits))


def forecast(span: tuple[int, int], returns: Returns) -> BlockForecasts:
    """Return losses and forecasts of one block at every window."""
    data, block = MarketData(), block_of(span, returns)
    return forecast_block(
        block,
        returns.values,
        returns.spans,
        windows=windows(),
        risk=Risk(),
        seed=SEED,
        standstill_d=data.stale_price_d,
        longest_span_d=data.longest_span_d,
    )


def windows() -> tuple[int, ...]:
    """Return all look-backs, the judged one among them."""
    return tuple(sorted({*Backtest().windows_d, Simulation().residual_window_d}))


def record(name: str, mapped: Callable[..., Any] = map) -> tuple[Values, Values, dict[str, Judged]]:
    """Return losses (days,), forecasts (windows, models, 3, days) and the verdicts of one data set."""
    returns, risk, terms = ingested(RECORDS[name]()), Risk(), Backtest()
    spans = list(pairwise(scheduled(Calibration(), len(returns.values))))
    found = list(mapped(forecast, spans, [returns] * len(spans)))
    losses = np.concatenate([each.losses[0] for each in found])
    every = np.concatenate([each.forecasts for each in found], axis=-1)
    window = Simulation().residual_window_d
    forecasts = every[windows().index(window)]
    laws = nulls.laws(forecasts, risk, window, spans[0][0])
    tasks = nulls.needed(laws, terms.null_records)
    paths = dict(zip(tasks, mapped(follow, tasks, [SEED] * len(tasks)), strict=True))
    nulled = nulls.judged_by(laws, list(forecasts[:, 0]), terms.null_records, paths, SEED)
    return losses, every, judged(losses, forecasts, risk, terms, laws, nulled, SEED)


def published(losses: Values, every: Values, verdicts: dict[str, Judged]) -> dict[str, Any]:
    """Return what is published of a record: verdicts by model, and the classical tests at every window."""
    risk, models, sensitivity = Risk(), {}, []
    for name, each in verdicts.items():
        found, tests = each.verdict, each.tests
        models[name] = {
            "days": found.days,
            "exceptions": found.exceptions,
            "expected": found.expected,
            "kupiec_p": found.kupiec.p_value,
            "independence_p": found.independence.p_value,
            "conditional_coverage_p": found.conditional_coverage.p_value,
            "rate_low": tests.rate[0],
            "rate_high": tests.rate[1],
            "zone_250": found.recent_zone,
            "zone_500": found.zone_500,
            "coverage_p": tests.coverage_p,
            "dynamic_quantile_p": tests.dynamic_quantile_p,
            "z2": tests.z2,
            "z2_critical": tests.z2_critical,
            "z2_p": tests.z2_p,
            "exceedance_p": tests.residual_p,
            "exceedance_bootstrap_p": tests.bootstrap_p,
            "tail_nu": None if math.isinf(each.law.nu) else each.law.nu,
            "passed": each.passed,
            "reason": each.reason,
        }
    for window, of_window in zip(windows(), every, strict=True):
        for name, (var, threshold, shortfall) in zip(MODELS, of_window, strict=True):
            if name in WITHOUT_WINDOW:
                continue
            found = verdict(losses > var, risk.var_confidence)
            sensitivity.append(
                {
                    "window_d": window,
                    "model": name,
                    "exceptions": found.exceptions,
                    "kupiec_p": found.kupiec.p_value,
                    "conditional_coverage_p": found.conditional_coverage.p_value,
                    "z2": acerbi_szekely_z2(losses, threshold, shortfall, risk.es_confidence),
                }
            )
    return {"models": models, "windows": sensitivity}


def table(record: dict[str, Any]) -> list[str]:
    """Return the verdicts of one data set as lines of a Markdown table."""
    lines = [*HEADER]
    for name, each in record["models"].items():
        cells = (
            LABELS[name],
            str(each["exceptions"]),
            *(f"{each[key]:.2g}" for key in ("kupiec_p", "coverage_p", "dynamic_quantile_p")),
            f"{each['z2']:.2f} ({each['z2_critical']:.2f})",
            f"{each['z2_p']:.2g}",
            "passed" if each["passed"] else "failed",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def window_table(record: dict[str, Any]) -> list[str]:
    """Return what the look-back does on one data set as lines of a Markdown table."""
    return [
        *WINDOW_HEADER,
        *(
            f"| {row['window_d']:,} | {LABELS[row['model']]} | {row['exceptions']} | {row['kupiec_p']:.2g} | "
            f"{row['z2']:.2f} |"
            for row in record["windows"]
        ),
    ]


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Return where two records differ, in words."""
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = [f"{place}: {key} is in one of both" for key in sorted({*found} ^ {*expected})]
        for key in expected:
            if key in found:
                lines += differences(found[key], expected[key], f"{place}.{key}".lstrip("."))
        return lines
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for at, (one, two) in pairs for line in differences(one, two, f"{place}[{at}]")]
    if isinstance(expected, float) and isinstance(found, float):
        close = math.isclose(found, expected, rel_tol=CLOSE, abs_tol=NEAR)
        return [] if close else [f"{place}: {found:.6g} is not the published {expected:.6g}"]
    if isinstance(expected, str) and isinstance(found, str):
        same = _P_VALUE.sub("", found) == _P_VALUE.sub("", expected)
        return [] if same else [f"{place}: '{found}' is not the published '{expected}'"]
    return [] if found == expected else [f"{place}: {found} is not the published {expected}"]


def main() -> int:
    """Write or compare the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    parser.add_argument("--table", action="store_true", help="print the published tables and compute nothing")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--only", choices=tuple(RECORDS), help="one data set")
    given = parser.parse_args()
    names = (given.only,) if given.only else tuple(RECORDS)
    before = json.loads(PUBLISHED.read_text(encoding="utf-8")) if PUBLISHED.is_file() else {}
    if given.table:
        for name in names:
            print("\n".join([name, "", *table(before[name]), "", *window_table(before[name]), ""]))
        return 0
    found: dict[str, Any] = {}
    with ProcessPoolExecutor(given.workers) as pool:
        for name in names:
            print(f"{name}: fits, forecasts and simulated records ...", file=sys.stderr, flush=True)
            found[name] = published(*record(name, pool.map))
            for model, each in found[name]["models"].items():
                word = "passes" if each["passed"] else "fails"
                counts = f"{each['exceptions']:4d} of {each['expected']:.1f}"
                print(f"{name:8} {model:32} {counts}  {word}: {each['reason']}")
    if given.check:
        lines = [line for name in names for line in differences(found[name], before.get(name, {}), name)]
        print("\n".join(lines) or f"{PUBLISHED.name}: every number is as published")
        return 1 if lines else 0
    PUBLISHED.write_text(json.dumps(before | found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
