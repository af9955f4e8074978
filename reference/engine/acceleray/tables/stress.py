"""Silver factors, and gold stress: assumptions, losses of each portfolio, and reverse stress."""

from acceleray.tables.contract import (
    FACTOR,
    HORIZON,
    INSTRUMENT,
    PORTFOLIO,
    SCENARIO,
    Column,
    Table,
    run_columns,
    source_column,
)

MONTHLY_MEAN = "monthly mean"
"""`sampling` of a factor whose levels are means of a month, which betas must not mix with month ends."""

FACTORS = Table(
    layer="silver",
    name="factors",
    comment="Levels of risk factors, as received and validated.",
    scope="source",
    key=("source", "factor_id", "date"),
    columns=(
        source_column(),
        FACTOR,
        Column("date", "date", "Day of the level"),
        Column("level", "double", "Level", "as `unit` says"),
        Column(
            "unit", "string", "index, USD a barrel, percentage points, or level where the file does not say"
        ),
        Column("origin", "string", "Data set the level comes from"),
        Column(
            "sampling", "string", "day: the level of its day; monthly mean: the mean of its month", "", True
        ),
    ),
)

STRESS_SCENARIOS = Table(
    layer="gold",
    name="stress_scenarios",
    comment="Every stress scenario of conf/stress.yml, whether it could be run, and how plausible it is.",
    scope="run_id",
    key=("run_id", "scenario_id"),
    columns=(
        *run_columns(),
        SCENARIO,
        Column("title", "string", "Name for people"),
        Column("kind", "string", "replay, hypothetical or supervisory"),
        Column("origin", "string", "Author, and place of publication"),
        Column("status", "string", "run or not run"),
        Column("reason", "string", "Why it was not run; empty otherwise"),
        Column("first_date", "date", "Close from which a replay starts", "", True),
        Column("last_date", "date", "Close at which a replay ends", "", True),
        Column(
            "distance",
            "double",
            "sqrt(x' (h Sigma)^-1 x) of its factor moves x from no change over its own horizon of h months",
            "std. dev.",
            True,
        ),
        Column("horizon_m", "double", "Its horizon: of a replay its risk days / 21", "months", True),
        Column(
            "distance_factors", "long", "Factors in x; replays and shocks count all of their model", "", True
        ),
        Column(
            "normal_tail",
            "double",
            "Probability of a move as far in one such span under a normal law; no chance of a chosen window",
            "fraction",
            True,
        ),
        Column("ended_factors", "string", "Factors of its model whose data has ended; empty: live", "", True),
        Column("months", "long", "Months behind its betas and covariance", "months", True),
        Column("first_month", "date", "First day of the first of these months", "", True),
        Column("last_month", "date", "First day of the last of these months", "", True),
    ),
    checks=(
        ("kind_is_known", "kind IN ('replay', 'hypothetical', 'supervisory')"),
        (
            "status_has_its_reason",
            "(status = 'run' AND reason = '') OR (status = 'not run' AND reason <> '')",
        ),
    ),
)

STRESS_ASSUMPTIONS = Table(
    layer="gold",
    name="stress_assumptions",
    comment="How each published number of a scenario becomes a factor shock, or why it does not.",
    scope="run_id",
    key=("run_id", "scenario_id", "variable"),
    columns=(
        *run_columns(),
        SCENARIO,
        Column("variable", "string", "Variable as published, or the factor that follows from the others"),
        Column("published", "string", "Its value as published or observed, with unit; empty if implied"),
        Column("factor_id", "string", "Factor it is mapped to", "", True),
        Column("shock", "string", "Shock with unit", "", True),
        Column("factor_change", "double", "Change as the model takes it", "log or points", True),
        Column(
            "role", "string", "core (given), implied (conditional mean), observed (replayed) or not mapped"
        ),
        Column("mapping", "string", "The assumption in words"),
    ),
    checks=(("role_is_known", "role IN ('core', 'implied', 'observed', 'not mapped')"),),
)

STRESS_RETURNS = Table(
    layer="gold",
    name="stress_returns",
    comment="Return of each instrument in each stress scenario, and its parts; unpriced ones are absent.",
    scope="run_id",
    key=("run_id", "scenario_id", "instrument_id"),
    columns=(
        *run_columns(),
        SCENARIO,
        INSTRUMENT,
        Column("return", "double", "Simple return over the scenario", "fraction"),
        Column("factor_return", "double", "Beta times factor changes, a log return", "fraction"),
        Column("specific_return", "double", "The rest of its log return, its own", "fraction"),
        Column(
            "residual_return", "double", "Simple less log return: compounding, which is neither", "fraction"
        ),
        Column(
            "origin",
            "string",
            "priced; priced without betas; proxied by betas (too few prices); shocked through betas",
        ),
    ),
    checks=(
        (
            "origin_is_known",
            "origin IN ('priced', 'priced without betas', 'proxied by betas', 'shocked through betas')",
        ),
    ),
)

STRESS_LOSSES = Table(
    layer="gold",
    name="stress_losses",
    comment="Loss of every portfolio in every stress scenario; factor, specific and residual add up to it.",
    scope="run_id",
    key=("run_id", "scenario_id", "portfolio_id"),
    columns=(
        *run_columns(),
        SCENARIO,
        PORTFOLIO,
        Column("loss", "double", "Loss, gains negative", "currency"),
        Column("loss_pct_nav", "double", "Loss as a share of NAV", "% of NAV"),
        Column("factor_pct_nav", "double", "Part of the factors", "% of NAV"),
        Column("specific_pct_nav", "double", "Part of the instruments' own changes", "% of NAV"),
        Column("residual_pct_nav", "double", "Part of compounding", "% of NAV"),
        Column(
            "proxied_pct_nav",
            "double",
            "Share of NAV whose prices are missing, and whose return is a proxy",
            "% of NAV",
        ),
        Column("unpriced_pct_nav", "double", "Share of NAV without a return, taken as none", "% of NAV"),
        Column("currency", "string", "ISO 4217 code"),
    ),
)

REVERSE_STRESS = Table(
    layer="gold",
    name="reverse_stress",
    comment="Scenarios in which each portfolio loses a given amount, and their distance from no change.",
    scope="run_id",
    key=("run_id", "portfolio_id", "method", "target_loss_pct_nav", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("method", "string", "linear (closed form), filtered_historical or t_copula (simulated tail)"),
        Column("target_loss_pct_nav", "double", "Loss to be reached", "% of NAV"),
        HORIZON,
        Column("loss_pct_nav", "double", "Loss found, of simulated scenarios their mean", "% of NAV", True),
        Column("distance_sigma", "double", "Loss in standard deviations of the portfolio", "", True),
        Column(
            "factor_distance",
            "double",
            "Distance from no change of the factor moves that it implies, by betas (GLS)",
            "std. dev.",
            True,
        ),
        Column("averaged", "long", "Simulated scenarios within 5 % of the target, averaged", "", True),
        Column("reaching", "long", "Simulated scenarios that lose as much or more", "", True),
    ),
)

REVERSE_STRESS_SHOCKS = Table(
    layer="gold",
    name="reverse_stress_shocks",
    comment="Move of each instrument in the reverse stress of the reference portfolio.",
    scope="run_id",
    key=("run_id", "portfolio_id", "method", "target_loss_pct_nav", "horizon_d", "instrument_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("method", "string", "linear, filtered_historical or t_copula"),
        Column("target_loss_pct_nav", "double", "Loss to be reached", "% of NAV"),
        HORIZON,
        INSTRUMENT,
        Column("return", "double", "Simple return; of simulated scenarios their mean", "fraction"),
    ),
)
