"""Gold models: evidence for the signal model, and its predictions."""

from acceleray.tables.contract import INSTRUMENT, Column, Table, run_columns

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
        Column(
            "quantile_spread",
            "double",
            "Mean forward return of the best fifth less that of the worst, per horizon",
            "fraction",
            True,
        ),
        Column(
            "turnover", "double", "Share of the long-short book that is traded per horizon", "fraction", True
        ),
        Column("net_spread", "double", "Quantile spread less the cost of trading it", "fraction", True),
    ),
)

SIGNAL_TARGETS = Table(
    layer="gold",
    name="signal_targets",
    comment="The signal model's scores of all test dates, held against raw and other forward returns.",
    scope="run_id",
    key=("run_id", "target"),
    columns=(
        *run_columns(),
        Column(
            "target",
            "string",
            "rank: raw return; volatility_scaled: over its volatility; residual: less beta times the mean",
        ),
        Column("gated", "boolean", "Whether the gate judges by it"),
        Column("dates", "long", "Test dates with a rank IC"),
        Column("rank_ic", "double", "Mean daily Spearman correlation of score and target", "", True),
        Column("rank_ic_t", "double", "Its Newey-West t statistic", "", True),
        Column("rank_ic_lower", "double", "Lower end of its one-sided interval", "", True),
    ),
    checks=(("target_is_known", "target IN ('rank', 'volatility_scaled', 'residual')"),),
)

TRAINING = Table(
    layer="gold",
    name="training",
    comment="How the final signal model was fitted, and how close it is to one fitted in a single process.",
    scope="run_id",
    key=("run_id",),
    columns=(
        *run_columns(),
        Column("rows", "long", "Training rows", "rows"),
        Column("features", "long", "Features"),
        Column("matrix_mb", "double", "Size of the features in memory, at four bytes a value", "MB"),
        Column("first_date", "date", "First training day"),
        Column("last_date", "date", "Last training day: its label was known at the as-of date"),
        Column("rounds", "long", "Boosting rounds"),
        Column("shards", "long", "Processes the data was split among; 1 for a single process"),
        Column("parameters_from", "string", "model, or the run_id of the search they come from"),
        Column("parameters_json", "string", "Hyperparameters as JSON"),
        Column(
            "single_process_difference",
            "double",
            "Largest difference of any training score from the model of a single process",
            "rank",
            True,
        ),
        Column("content_sha256", "string", "SHA-256 over the model's bytes"),
        Column("model_uri", "string", "Registered model"),
        Column("fit_s", "double", "Time of the fit and of process starts; none if reused", "s", True, True),
        Column("single_process_s", "double", "Time one process took for the same", "s", True, True),
        Column("resumed_from", "long", "Round from which an interrupted fit went on", "rounds", True, True),
    ),
)

FEATURE_IMPORTANCE = Table(
    layer="gold",
    name="feature_importance",
    comment="The features of the final signal model in its order, and how much it gains from each.",
    scope="run_id",
    key=("run_id", "feature"),
    columns=(
        *run_columns(),
        Column("position", "long", "Place in the order of the model's columns, from 1"),
        Column("feature", "string", "Feature"),
        Column("gain", "double", "Share of the reduction of the training loss", "fraction"),
        Column("splits", "long", "Splits that ask for it"),
    ),
)

MODEL_DECISIONS = Table(
    layer="gold",
    name="model_decisions",
    comment="Every decision on the champion: promoted, refused or withdrawn, with the reason.",
    scope="run_id",
    key=("run_id", "model_version"),
    columns=(
        *run_columns(),
        Column("source", "string", "Price source the model was trained on"),
        Column("model_name", "string", "Registered model"),
        Column("model_version", "long", "Version in the registry"),
        Column("model_uri", "string", "MLflow URI of the version"),
        Column("decision", "string", "promoted, refused or withdrawn"),
        Column("effective_from", "date", "First as-of date the decision is about"),
        Column("features_contract", "string", "SHA-256 over feature names, their order and the horizon"),
        Column("rank_ic", "double", "Mean out-of-sample rank IC", "", True),
        Column("rank_ic_t", "double", "Its Newey-West t statistic", "", True),
        Column("rank_ic_lower", "double", "Lower end of its one-sided interval", "", True),
        Column("unseen_from", "date", "First day that the search of the parameters never saw", "", True),
        Column("compared_with", "long", "Version that was champion", nullable=True),
        Column("rank_ic_difference", "double", "Rank IC less the champion's on the same dates", "", True),
        Column("rank_ic_difference_t", "double", "Newey-West t statistic of that difference", "", True),
        Column("rank_ic_difference_lower", "double", "Lower end of its one-sided interval", "", True),
        Column("reason", "string", "Why, in words"),
        Column("decided_at", "timestamp", "When it was decided", "UTC", volatile=True),
    ),
    checks=(("decision_is_known", "decision IN ('promoted', 'refused', 'withdrawn')"),),
)

PREDICTIONS = Table(
    layer="gold",
    name="predictions",
    comment="Score of every instrument: its newest row, or the last dates of a batch.",
    scope="run_id",
    key=("run_id", "instrument_id", "feature_date"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("feature_date", "date", "Day of the features the score is made from"),
        Column("score", "double", "Expected cross-sectional rank of the forward return", "rank -0.5..0.5"),
        Column("model_uri", "string", "Model that made the score"),
    ),
)

PREDICTIONS_QUARANTINED = Table(
    layer="gold",
    name="predictions_quarantined",
    comment="Instruments, or single rows of their features, that could not be scored, with the reason.",
    scope="run_id",
    key=("run_id", "instrument_id", "feature_date"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("feature_date", "date", "Day of the features, or of the last price where there are none"),
        Column("reason", "string", "Why there is no score"),
    ),
)
