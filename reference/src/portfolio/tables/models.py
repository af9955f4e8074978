"""Gold models: calibration per instrument, evidence for the signal model, its predictions."""

from portfolio.tables.contract import INSTRUMENT, Column, Table, run_columns

CALIBRATION = Table(
    layer="gold",
    name="calibration",
    comment="GJR-GARCH(1,1)-t per instrument, returns up to the as-of date; a rejected series keeps a row.",
    scope="run_id",
    key=("run_id", "instrument_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("status", "string", "calibrated or rejected"),
        Column("reason", "string", "Why it was rejected; empty otherwise"),
        Column("observations", "long", "Returns used", "days"),
        Column("mu", "double", "Mean daily return", "fraction", True),
        Column("omega", "double", "Constant of the variance", "fraction^2", True),
        Column("alpha", "double", "Weight of the last squared shock", "", True),
        Column("gamma", "double", "Extra weight of a negative shock", "", True),
        Column("beta", "double", "Weight of the last variance", "", True),
        Column("nu", "double", "Student-t degrees of freedom", "", True),
        Column("mu_se", "double", "Standard error of mu", "fraction", True),
        Column("omega_se", "double", "Standard error of omega", "fraction^2", True),
        Column("alpha_se", "double", "Standard error of alpha", "", True),
        Column("gamma_se", "double", "Standard error of gamma", "", True),
        Column("beta_se", "double", "Standard error of beta", "", True),
        Column("nu_se", "double", "Standard error of nu", "", True),
        Column("persistence", "double", "alpha + gamma/2 + beta", "", True),
        Column("half_life_d", "double", "Days until half of a variance shock is gone", "trading days", True),
        Column("log_likelihood", "double", "Log-likelihood of the returns", "", True),
        Column("converged", "boolean", "Did the optimiser converge"),
        Column("at_bound", "string", "Parameters at a bound, comma-separated; empty if none"),
        Column("initial_variance", "double", "Presample variance", "fraction^2", True),
        Column("next_sigma", "double", "Volatility forecast for the next day", "fraction", True),
        Column("filled_share", "double", "Share of residual days filled by proxy", "fraction", True),
    ),
    checks=(("status_is_known", "status IN ('calibrated', 'rejected')"),),
)

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
