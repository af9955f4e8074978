"""Gold tuning: every trial of a search, its course, and the evidence of the search as a whole."""

from acceleray.tables.contract import Column, Table, run_columns

TRIALS = Table(
    layer="gold",
    name="trials",
    comment="Every trial of a hyperparameter search, stopped ones too.",
    scope="run_id",
    key=("run_id", "trial"),
    columns=(
        *run_columns(),
        Column("trial", "long", "Trial, from 1, in the order in which they were proposed"),
        Column("proposed_by", "string", "settings: what section model says; or optuna"),
        Column("status", "string", "completed, stopped early, or failed"),
        Column("chosen", "boolean", "Whether the search chose it"),
        Column("rounds", "long", "Boosting rounds at which it was best", "rounds", True),
        Column("rounds_spent", "long", "Boosting rounds that were computed", "rounds"),
        Column("max_depth", "long", "Depth of a tree"),
        Column("learning_rate", "double", "Shrinkage of each tree"),
        Column("min_child_weight", "double", "Least weight of a leaf"),
        Column("subsample", "double", "Share of rows drawn for a tree", "fraction"),
        Column("colsample", "double", "Share of features drawn for a tree", "fraction"),
        Column("reg_lambda", "double", "L2 penalty on leaf weights"),
        Column("rank_ic", "double", "Mean rank IC over the validation folds", "", True),
        Column("rank_ic_t", "double", "Its Newey-West t statistic", "", True),
        Column("sharpe", "double", "Sharpe ratio of its spread per horizon, not annualised", "", True),
        Column("reason", "string", "Why a trial was stopped or failed", nullable=True),
    ),
    checks=(("status_is_known", "status IN ('completed', 'stopped', 'failed')"),),
)

TRIAL_PROGRESS = Table(
    layer="gold",
    name="trial_progress",
    comment="Report of each trial after every chunk of boosting rounds.",
    scope="run_id",
    key=("run_id", "trial", "rounds"),
    columns=(
        *run_columns(),
        Column("trial", "long", "Trial"),
        Column("rounds", "long", "Boosting rounds so far", "rounds"),
        Column("rank_ic", "double", "Mean rank IC over the validation folds", "", True),
    ),
)

TUNING_EVIDENCE = Table(
    layer="gold",
    name="tuning_evidence",
    comment="Evidence of a search, allowing for the number of its trials.",
    scope="run_id",
    key=("run_id",),
    columns=(
        *run_columns(),
        Column("trials", "long", "Trials"),
        Column("completed", "long", "Trials that ran to the end"),
        Column("stopped", "long", "Trials stopped early"),
        Column("failed", "long", "Trials that failed"),
        Column("rounds_spent", "long", "Boosting rounds computed by all trials", "rounds"),
        Column("rounds_full", "long", "Rounds that would have been computed without stopping", "rounds"),
        Column("validation_rank_ic", "double", "Mean rank IC of the chosen trial in validation", "", True),
        Column("searched_last", "date", "Last day by whose label the search chose", nullable=True),
        Column("holdout_first", "date", "First day of the holdout: no label before reaches into it"),
        Column("holdout_last", "date", "Last day of the holdout"),
        Column("holdout_rank_ic", "double", "Mean rank IC in the holdout, looked at once", "", True),
        Column("holdout_rank_ic_t", "double", "Its Newey-West t statistic", "", True),
        Column("holdout_rank_ic_p", "double", "Its two-sided p-value", "", True),
        Column("periods", "long", "Horizons that do not overlap, of which the Sharpe ratios are"),
        Column("sharpe", "double", "Sharpe ratio of the chosen trial per horizon, not annualised", "", True),
        Column("expected_maximum_sharpe", "double", "Best of so many trials by luck", "", True),
        Column(
            "deflated_sharpe", "double", "Probability that its Sharpe ratio is not luck", "probability", True
        ),
        Column("overfitting", "double", "Probability of backtest overfitting (CSCV)", "probability", True),
        Column("tried", "long", "Possible choices: reports of trials that did not fail", "", True),
        Column("tried_before", "long", "The same of searches before on these prices", "", True),
        Column("overfitting_blocks", "long", "Blocks that history was cut into for that; 0 if too short"),
        Column("finding", "string", "found, weak, nothing or suspect"),
        Column("verdict", "string", "Conclusion, in words"),
    ),
    checks=(("finding_is_known", "finding IN ('found', 'weak', 'nothing', 'suspect')"),),
)

LEAKAGE_CHECKS = Table(
    layer="gold",
    name="leakage_checks",
    comment="Every feature, and the chosen model, looked at for knowledge of the future.",
    scope="run_id",
    key=("run_id", "subject", "check_name"),
    columns=(
        *run_columns(),
        Column("subject", "string", "Feature, or chosen model"),
        Column("check_name", "string", "Subject of the check"),
        Column("value", "double", "Value found", "", True),
        Column("maximum", "double", "Above this it is suspected"),
        Column("suspected", "boolean", "Whether leakage is suspected"),
        Column("reason", "string", "Meaning of the value, in words"),
    ),
)
