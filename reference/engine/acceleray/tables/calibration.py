"""Gold calibration: volatility models through time, their gate, and what ties instruments together."""

from dataclasses import replace

from acceleray.tables.contract import FACTOR, INSTRUMENT, Column, Table, run_columns

_FIT = (
    Column(
        "status",
        "string",
        "calibrated; held: hardly moves; proxied: as others move; rejected: its data; failed: no model fits",
    ),
    Column("reason", "string", "Why it has no separate model; empty otherwise"),
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
    Column("starts", "long", "Points from which the optimiser began; of arch, more than one is a retry"),
    Column("initial_variance", "double", "Presample variance", "fraction^2", True),
    Column("next_sigma", "double", "Volatility forecast for the next day", "fraction", True),
)
_STATUS = (("status_is_known", "status IN ('calibrated', 'held', 'proxied', 'rejected', 'failed')"),)

CALIBRATION = Table(
    layer="gold",
    name="calibration",
    comment="GJR-GARCH(1,1)-t per instrument, returns up to the as-of date; one without a model keeps a row.",
    scope="run_id",
    key=("run_id", "instrument_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        *_FIT,
        Column("filled_share", "double", "Share of residual days filled by proxy", "fraction", True),
        Column("previous_fitted_on", "date", "Last day seen by the scheduled fit before", "", True),
        Column(
            "volatility_drift", "double", "Log of its forecast over that of the fit before", "log ratio", True
        ),
    ),
    checks=_STATUS,
)

CALIBRATION_HISTORY = Table(
    layer="gold",
    name="calibration_history",
    comment="Every scheduled fit of every instrument, each on the returns up to its own day alone.",
    scope="run_id",
    key=("run_id", "fitted_on", "instrument_id"),
    columns=(
        *run_columns(),
        Column("fitted_on", "date", "Last day the fit could see"),
        INSTRUMENT,
        *_FIT,
    ),
    checks=_STATUS,
)

CALIBRATION_GATE = Table(
    layer="gold",
    name="calibration_gate",
    comment="Criteria that a calibration must meet before a simulation.",
    scope="run_id",
    key=("run_id", "check_name"),
    columns=(
        *run_columns(),
        Column("check_name", "string", "converged, at_bound, drifted, or a rule of the project"),
        Column("share", "double", "Share found; 1 if a rule of the project refuses, else 0", "fraction"),
        Column("limit", "double", "Least share allowed for converged, largest for the others", "fraction"),
        Column("passed", "boolean", "Is the share within the limit"),
        Column("reason", "string", "The verdict in words, with the worst instruments"),
    ),
)

_MONTHS = (
    Column("months", "long", "Months used", "months"),
    Column("first_month", "date", "First day of the first month used", "", True),
    Column("last_month", "date", "First day of the last month used", "", True),
)

FACTOR_BETAS = Table(
    layer="gold",
    name="factor_betas",
    comment="Exposure of each instrument to each live factor, from weekly or monthly log changes.",
    scope="run_id",
    key=("run_id", "instrument_id", "factor_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        FACTOR,
        Column("reason", "string", "Why there is no beta; empty otherwise"),
        Column(
            "beta", "double", "Change of the log price for a factor change of one", "per unit of factor", True
        ),
        Column("beta_se", "double", "Its HAC (Newey-West) standard error", "per unit of factor", True),
        Column("r_squared", "double", "Share of variance that all factors explain", "fraction", True),
        Column("specific_volatility", "double", "Standard deviation of the rest per month", "fraction", True),
        *_MONTHS,
        Column(
            "sampling",
            "string",
            "Of the changes: week, or month where a factor has no level in each week",
            "",
            True,
        ),
        Column("changes", "long", "Weeks or months used", "", True),
    ),
)

FACTOR_COVARIANCES = Table(
    layer="gold",
    name="factor_covariances",
    comment="Covariance of monthly changes of live factors up to the as-of date; each pair in both orders.",
    scope="run_id",
    key=("run_id", "factor_id", "other_factor_id"),
    columns=(
        *run_columns(),
        FACTOR,
        Column("other_factor_id", "string", "The other factor"),
        Column("covariance", "double", "Covariance of monthly changes", "product of units"),
        Column("correlation", "double", "Correlation of monthly changes"),
        *_MONTHS,
    ),
)

ENDED_FACTOR_BETAS = replace(
    FACTOR_BETAS,
    name="ended_factor_betas",
    comment="Exposure to live and ended factors together, on their common months; empty if none has ended.",
)

ENDED_FACTOR_COVARIANCES = replace(
    FACTOR_COVARIANCES,
    name="ended_factor_covariances",
    comment="Covariance of live and ended factors on their common months; empty if no factor has ended.",
)

CORRELATIONS = Table(
    layer="gold",
    name="correlations",
    comment="Correlation of residuals by ranks, shrunk so that it is positive definite; each pair once.",
    scope="run_id",
    key=("run_id", "instrument_id", "other_instrument_id"),
    columns=(
        *run_columns(),
        INSTRUMENT,
        Column("other_instrument_id", "string", "The other instrument, later in the alphabet"),
        Column("correlation", "double", "Shrunk correlation, as simulated"),
        Column("sample_correlation", "double", "Correlation of normal scores, before shrinkage"),
    ),
)

DEPENDENCE = Table(
    layer="gold",
    name="dependence",
    comment="How the instruments were tied together, and the proof that the correlation can be simulated.",
    scope="run_id",
    key=("run_id",),
    columns=(
        *run_columns(),
        Column("method", "string", "How the correlation was shrunk"),
        Column("days", "long", "Days of residuals", "trading days"),
        Column("instruments", "long", "Instruments"),
        Column("shrinkage", "double", "Weight of the identity in the shrunk correlation", "fraction"),
        Column("smallest_eigenvalue", "double", "Of the shrunk correlation; positive is positive definite"),
        Column("sample_smallest_eigenvalue", "double", "The same before shrinkage"),
        Column("copula_nu", "double", "Degrees of freedom of the t copula, by maximum likelihood"),
        Column("copula_nu_at_bound", "boolean", "Did the search for them end at its limit"),
    ),
)
