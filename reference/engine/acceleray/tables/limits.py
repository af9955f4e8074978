"""Gold limits: how much of each limit a portfolio uses."""

from acceleray.tables.contract import PORTFOLIO, Column, Table, run_columns

LIMIT_UTILISATION = Table(
    layer="gold",
    name="limit_utilisation",
    comment="Each limit of conf/limits.yml that counts on the as-of date, and how much of it is used.",
    scope="run_id",
    key=("run_id", "limit_id", "portfolio_id"),
    columns=(
        *run_columns(),
        Column("limit_id", "string", "Limit, as conf/limits.yml names it"),
        PORTFOLIO,
        Column("measure", "string", "Limited measure, such as value_at_risk or weight"),
        Column("horizon_d", "long", "Horizon of a simulated measure", "trading days", True),
        Column("method", "string", "How its scenarios were made", "", True),
        Column("scenario_id", "string", "Stress scenario, or that of the largest loss", "", True),
        Column("group_column", "string", "Column of the positions that makes groups", "", True),
        Column("group_value", "string", "The group, or that of the largest value", "", True),
        Column("unit", "string", "Of value and limit: % of NAV, days, or an ISO 4217 code"),
        Column("value", "double", "Value of the measure; losses positive", "as `unit` says", True),
        Column("limit_value", "double", "The limit", "as `unit` says"),
        Column("utilisation_pct", "double", "Value over limit; 0 for a gain", "%", True),
        Column("warning_pct", "double", "Utilisation from which on it is amber", "%"),
        Column(
            "state", "string", "green; amber: at the warning level or above; red: breached; not evaluated"
        ),
        Column("reason", "string", "Why it was not evaluated; empty otherwise"),
        Column("owner", "string", "Person or team to notify"),
        Column("as_of_before", "date", "As-of date of the newest earlier run with this limit", "", True),
        Column("utilisation_before_pct", "double", "Utilisation then", "%", True),
    ),
    checks=(
        ("state_is_known", "state IN ('green', 'amber', 'red', 'not evaluated')"),
        (
            "evaluated_or_a_reason",
            "(state <> 'not evaluated' AND value IS NOT NULL AND utilisation_pct >= 0 AND reason = '')"
            " OR (state = 'not evaluated' AND value IS NULL AND reason <> '')",
        ),
    ),
)
