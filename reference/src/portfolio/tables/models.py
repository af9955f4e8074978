"""Gold models: evidence for the signal model, and its predictions."""

from portfolio.tables.contract import INSTRUMENT, Column, Table, run_columns

SIGNAL_VALIDATION = Table(
    layer="gold",
    name="signal_validation",
    comment="Walk-forward, purged and embargoed out-of-sample evidence for the signal model.",
    scope="run_id",
    key=("run_id", "fold"),
    columns=(
        *run_columns(),
        Column("fold", "long", "Walk-forward fold, from 1"),
        Column("train_first", "date", "First training day"),
        Column("train_last", "date", "Last training day after purging"),
        Column("test_first", "date", "First test day"),
        Column("test_last", "date", "Last test day"),
        Column("train_rows", "long", "Training rows", "rows"),
        Column("test_rows", "long", "Test rows", "rows"),
        Column("rank_ic", "double", "Mean daily Spearman correlation of score and target", "", True),
        Column("rank_ic_t", "double", "Newey-West t statistic of the daily rank IC", "", True),
        Column("r2_out_of_sample", "double", "R-squared against a forecast of zero", "", True),
    ),
)

PREDICTIONS = Table(
    layer="gold",
    name="predictions",
    comment="Score of every instrument as of the run's date.",
    scope="run_id",
    key=("run_id", "instrument_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("feature_date", "date", "Day of the features the score is made from"),
        Column("score", "double", "Expected cross-sectional rank of the forward return", "rank -0.5..0.5"),
    ),
)
