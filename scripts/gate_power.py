"""How often the gate of the backtest passes a right model and refuses a wrong one: simulated histories.

    python scripts/gate_power.py [--histories 500] [--workers 2] [--output docs/gate_power.json]
    python scripts/gate_power.py --table

Each history is a GJR-GARCH-t process with the parameters below. The model is calibrated on it as a run does:
from day 1,000 on, every 250 days, on the past alone; forecasts replay the residuals of the last 2,000 days.
Then the whole gate judges the first 1,000, 2,500 and 7,312 forecasts, as they are and with a tenth too
little volatility. Every random number is keyed by the history; the table is the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "docs" / "gate_power.json"
sys.path.insert(0, str(ROOT / "template" / "engine"))

from acceleray.quant.forecasts import (  # noqa: E402
    calibrated_losses,
    forecast_at_both,
    over_windows,
)
from acceleray.quant.garch import GjrParameters  # noqa: E402
from acceleray.quant.null_record import NullLaw, NullRecords, simulate_records  # noqa: E402
from acceleray.quant.student_tail import degrees_of_freedom  # noqa: E402
from acceleray.settings import Risk  # noqa: E402
from acceleray.settings.backtest import Backtest  # noqa: E402
from acceleray.settings.sections import Calibration, Simulation  # noqa: E402
from acceleray.stages.backtest.gate import decide, tested  # noqa: E402
from acceleray.stages.calibrate.fits import fit_before  # noqa: E402
from acceleray.stages.calibrate.schedule import scheduled  # noqa: E402

# Near the medians of the twenty companies of the sample, in daily returns.
TRUE = GjrParameters(mu=0.0006, omega=6e-6, alpha=0.03, gamma=0.05, beta=0.93, nu=5.0)
LENGTHS = (1000, 2500, 7312)
MODELS = {"calibrated": 1.0, "a tenth too little volatility": 0.9}
SEED = 20_260_101


def history(number: int, days: int) -> NDArray[np.float64]:
    """Return the simple returns of one simulated history, of shape (days,)."""
    generator = np.random.Generator(np.random.Philox(key=[SEED, number]))
    shocks = generator.standard_t(TRUE.nu, days) * np.sqrt((TRUE.nu - 2.0) / TRUE.nu)
    returns = np.empty(days)
    variance = TRUE.omega / (1.0 - TRUE.alpha - TRUE.gamma / 2.0 - TRUE.beta)
    for day, shock in enumerate(shocks):
        moved = np.sqrt(variance) * shock
        returns[day] = TRUE.mu + moved
        reaction = TRUE.alpha + TRUE.gamma * (moved < 0.0)
        variance = TRUE.omega + reaction * moved * moved + TRUE.beta * variance
    return returns


def forecasts(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return value-at-risk, threshold and shortfall from the schedule's fits, of shape (3, days).

    A fit that did not converge (one in some thousands) leaves the one before it in force.
    """
    calibration, risk, window = Calibration(), Risk(), Simulation().residual_window_d
    panel = returns[:, np.newaxis]

    measure = partial(forecast_at_both, es_confidence=risk.es_confidence)

    def blocks() -> Iterator[NDArray[np.float64]]:
        fit = None
        for first, last in pairwise(scheduled(calibration, len(returns))):
            found = fit_before((first, 0), panel, calibration.window_d, calibration.minimum_history_d, 10)
            fit = found if fit is None or found.modelled else fit
            days = calibrated_losses(panel, np.ones(1), first, last, [fit], window)
            yield over_windows(days, (window,), risk.var_confidence, measure)[0]

    return np.concatenate(list(blocks()), axis=-1)


@cache
def typical() -> NDArray[np.float64]:
    """Return value-at-risk forecasts of a history that is not judged, which all records look at."""
    return forecasts(history(10**6, Calibration().first_fit_d + max(LENGTHS)))[0]


@cache
def null(days: int, nu: float) -> NullRecords:
    """Return the records of a right model."""
    risk, terms = Risk(), Backtest()
    law = NullLaw(
        days,
        Simulation().residual_window_d,
        Calibration().first_fit_d,
        nu,
        risk.var_confidence,
        risk.es_confidence,
    )
    seen = typical()[:days]
    return simulate_records(terms.null_records, law, seen, SEED)


def judged(number: int) -> list[dict[str, object]]:
    """Return what the gate says about one history: one entry a model and length."""
    risk, terms, first = Risk(), Backtest(), Calibration().first_fit_d
    returns = history(number, first + max(LENGTHS))
    made = forecasts(returns)
    found = []
    for days in LENGTHS:
        losses = -returns[first : first + days]
        for name, factor in MODELS.items():
            some = factor * made[:, :days]
            nu = degrees_of_freedom(float(some[2].sum() / some[1].sum()), risk.es_confidence)
            verdict, tests = tested(losses, some, risk, null(days, nu), terms.level, SEED)
            passed, _ = decide(verdict, tests, terms)
            found.append(
                {
                    "history": number,
                    "model": name,
                    "days": days,
                    "passed": passed,
                    "kupiec": verdict.kupiec.p_value >= terms.level,
                    "exceptions": verdict.exceptions,
                    "rejected": sorted(name for name, p in tests.adjusted.items() if p <= terms.level),
                    "red": "red" in (verdict.recent_zone, verdict.zone_500),
                    "nu": nu,
                }
            )
    return found


def table(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return shares of histories by model and length."""
    found = []
    for name in MODELS:
        for days in LENGTHS:
            some = [row for row in rows if row["model"] == name and row["days"] == days]
            counts = np.array([float(str(row["exceptions"])) for row in some])
            entry: dict[str, object] = {
                "model": name,
                "days": days,
                "histories": len(some),
                "passed": float(np.mean([bool(row["passed"]) for row in some])),
                "kupiec_passed": float(np.mean([bool(row["kupiec"]) for row in some])),
                "red_zone": float(np.mean([bool(row["red"]) for row in some])),
                "mean_exceptions": float(counts.mean()),
                "deviation_of_exceptions": float(counts.std(ddof=1)),
            }
            for test in ("coverage", "dynamic quantile", "Z2", "size of exceedances"):
                rejections = [test in row["rejected"] for row in some]  # type: ignore[operator]
                entry[f"{test.replace(' ', '_').lower()}_rejects"] = float(np.mean(rejections))
            found.append(entry)
    return found


def markdown(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the published table as lines of Markdown; shares of histories in per cent."""
    names = ("coverage", "dynamic_quantile", "z2", "size_of_exceedances")
    lines = [
        "| model | days | histories | passes the gate | Kupiec alone passes | coverage rejects | "
        "dynamic quantile rejects | Z2 rejects | size of exceedances rejects | red zone |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found:
        shares = [row["passed"], row["kupiec_passed"], *(row[f"{name}_rejects"] for name in names)]
        first = (row["model"], f"{row['days']:,}", str(row["histories"]))
        cells = (*first, *(f"{100.0 * share:.1f} %" for share in (*shares, row["red_zone"])))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> int:
    """Run the study, print its table and write it where told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--histories", type=int, default=500, help="simulated histories (500)")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--output", type=Path, help="JSON file for the table")
    parser.add_argument("--table", action="store_true", help="print the published table and compute nothing")
    given = parser.parse_args()
    if given.table:
        print("\n".join(markdown(json.loads(PUBLISHED.read_text(encoding="utf-8")))))
        return 0
    rows: list[dict[str, object]] = []
    with ProcessPoolExecutor(given.workers) as pool:
        for done, some in enumerate(pool.map(judged, range(given.histories)), start=1):
            rows += some
            if done % 10 == 0 or done == given.histories:
                if given.output:
                    text = json.dumps(table(rows), indent=1) + "\n"
                    given.output.write_text(text, encoding="utf-8")
                print(f"\r{done} of {given.histories} histories judged", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    found = table(rows)
    for entry in found:
        cells = (f"{value:.3g}" if isinstance(value, float) else f"{value}" for value in entry.values())
        print("  ".join(f"{name} {cell}" for name, cell in zip(entry, cells, strict=True)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
