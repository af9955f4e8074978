"""The sections on outcomes and benchmarks of a signal model: folds, the champion, single signals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from acceleray.report.model_document.cells import Row, grid, source, transposed
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.run_rows import reads
from acceleray.report.model_document.tree import Grid, Head, Judgement, Part, Section, Words
from acceleray.report.rows import narrowed
from acceleray.tables import MODEL_DECISIONS, RUNS, SIGNAL_RANKS, SIGNAL_VALIDATION

SHOWN_SIGNALS = 20
_NOT_NUMBERS = ("model_name", "model_uri", "features_contract")


def outcomes(told: Context) -> Section:
    """Return the section on what the recipe was worth out of sample."""
    folds = sorted(told.read(SIGNAL_VALIDATION).to_pylist(), key=lambda row: row["fold"])
    parts: list[Part] = [
        transposed(
            MODEL_DECISIONS,
            told.read(MODEL_DECISIONS).to_pylist(),
            ("Value",),
            "The decision, and what it rests on.",
            without=_NOT_NUMBERS,
        ),
        grid(
            SIGNAL_VALIDATION,
            folds,
            "Walk-forward folds, each tested on the dates after its training.",
        ),
        _by_year(folds),
        Words("No table keeps rank ICs of single days, so a crisis is judged by the folds that test it."),
        Judgement(
            "whether this record supports the use above, and what live scores have been worth since: compare"
            " gold.predictions with the returns that came after."
        ),
    ]
    return Section("outcomes", "Outcome analysis", tuple(parts))


def benchmarks(told: Context) -> Section:
    """Return the section that holds the model against the champion and against single signals."""
    decision: Row = next(iter(told.read(MODEL_DECISIONS).to_pylist()), {})
    parts: list[Part] = []
    if decision.get("compared_with") is None:
        parts.append(
            Words(f"There was no champion to compare with ({source(MODEL_DECISIONS, 'compared_with')}).")
        )
    else:
        names = ("model_version", "compared_with", "rank_ic", "rank_ic_difference", "rank_ic_difference_t")
        caption = "Against the champion's hyperparameters on the same dates."
        parts.append(grid(MODEL_DECISIONS, [decision], caption, names))
    parts += _signals(told)
    parts.append(Judgement("why a single signal, or an equal-weight mean of a few, is not enough."))
    return Section("benchmarks", "Benchmarking against simpler models", tuple(parts))


def _by_year(folds: Sequence[Row]) -> Part:
    """Return which folds test which years: their means stand above."""
    label = SIGNAL_VALIDATION.label
    heads = (Head("Year", f"{label}.test_first, test_last"), Head("Tested by fold", f"{label}.fold"))
    years = sorted({year for row in folds for year in _years(row["test_first"], row["test_last"])})
    rows = tuple(
        (
            str(year),
            ", ".join(
                str(row["fold"]) for row in folds if year in _years(row["test_first"], row["test_last"])
            ),
        )
        for year in years
    )
    return Grid("Which years each fold tests.", heads, rows) if rows else Words("No fold was tested.")


def _years(first: date, last: date) -> range:
    return range(first.year, last.year + 1)


def _signals(told: Context) -> list[Part]:
    """Return single signals at the model's horizon, from the latest run that ranked them for this source."""
    runs = told.kept.rows(narrowed(RUNS, "run_id", "source", "finished_at")).to_pylist()
    ranked = set(told.kept.rows(narrowed(SIGNAL_RANKS, "run_id"))["run_id"].to_pylist())
    mine = [r for r in runs if r["run_id"] in ranked and r["source"] == told.made.run["source"]]
    if not mine:
        return [
            Words(
                f"No run has ranked single signals of these prices ({SIGNAL_RANKS.label}):"
                " `portfolio run investment_signal_prioritization` does."
            )
        ]
    run = max(mine, key=lambda row: row["finished_at"])
    rows = reads(told.kept, str(run["run_id"]), str(run["source"]))(SIGNAL_RANKS).to_pylist()
    horizon = told.chosen.get("features", {}).get("horizon_d")
    same = [row for row in rows if row["horizon_d"] == horizon] or rows
    same.sort(key=lambda row: row["position"])
    evidence = ("rank_ic", "t_newey_west", "q_benjamini_hochberg", "net_information_ratio")
    names = ("signal_id", "horizon_d", "decision", *evidence)
    caption = (
        f"Single signals, ranked by run {run['run_id']} on all of their dates; folds above are of fewer."
    )
    return [grid(SIGNAL_RANKS, same[:SHOWN_SIGNALS], caption, names)]
