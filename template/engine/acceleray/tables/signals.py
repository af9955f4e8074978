"""Gold signals: evidence for each signal at each horizon, and the order an analyst reads them in."""

from acceleray.tables.contract import HORIZON, Column, Table, run_columns

SIGNAL = Column("signal_id", "string", "Signal: a feature of gold.features")

SIGNAL_RANKS = Table(
    layer="gold",
    name="signal_ranks",
    comment="Signals in the order of their evidence, with a decision and its reason in words.",
    scope="run_id",
    key=("run_id", "signal_id", "horizon_d"),
    columns=(
        *run_columns(),
        SIGNAL,
        HORIZON,
        Column("position", "long", "Place in the order, 1 first"),
        Column("decision", "string", "use, watch, reject or suspect"),
        Column("reason", "string", "Why, in plain words"),
        Column("direction", "long", "1 if high values are good, -1 if low ones are"),
        Column("dates", "long", "Days with a rank IC", "days"),
        Column("rank_ic", "double", "Mean daily rank IC, signed as measured", "", True),
        Column("rank_ic_low", "double", "Lower end of its 95 % block-bootstrap interval", "", True),
        Column("rank_ic_high", "double", "Upper end of its 95 % block-bootstrap interval", "", True),
        Column("icir", "double", "Mean over standard deviation of the rank IC, annualised", "", True),
        Column("t_newey_west", "double", "Newey-West t statistic of the mean rank IC", "", True),
        Column("p_value", "double", "Two-sided p value of that t statistic", "probability", True),
        Column("q_benjamini_hochberg", "double", "False-discovery rate at which it survives", "", True),
        Column("q_benjamini_yekutieli", "double", "The same under any dependence", "", True),
        Column("half_life_d", "double", "Days after which half of its rank IC is gone", "trading days", True),
        Column(
            "quantile_spread", "double", "Best less worst quantile's mean forward return", "fraction", True
        ),
        Column("turnover", "double", "Share of the long-short book traded per horizon", "fraction", True),
        Column("net_information_ratio", "double", "Annualised, of the spread less costs", "", True),
        Column(
            "marginal_rank_ic",
            "double",
            "Rank IC of the part that the signals before it do not explain",
            "",
            True,
        ),
        Column("marginal_t", "double", "Its Newey-West t statistic", "", True),
    ),
    checks=(("decision_is_known", "decision IN ('use', 'watch', 'reject', 'suspect')"),),
)

SIGNAL_DECAY = Table(
    layer="gold",
    name="signal_decay",
    comment="Mean rank IC of each signal with the one-day return so many days ahead.",
    scope="run_id",
    key=("run_id", "signal_id", "ahead_d"),
    columns=(
        *run_columns(),
        SIGNAL,
        Column("ahead_d", "long", "Days from the signal to the return", "trading days"),
        Column("rank_ic", "double", "Mean rank IC", "", True),
    ),
)

SIGNAL_YEARS = Table(
    layer="gold",
    name="signal_years",
    comment="Mean rank IC of each signal at each horizon in each calendar year.",
    scope="run_id",
    key=("run_id", "signal_id", "horizon_d", "year"),
    columns=(
        *run_columns(),
        SIGNAL,
        HORIZON,
        Column("year", "long", "Calendar year of the day on which the signal was known"),
        Column("dates", "long", "Days with a rank IC", "days"),
        Column("rank_ic", "double", "Mean daily rank IC"),
    ),
)

SIGNAL_CORRELATIONS = Table(
    layer="gold",
    name="signal_correlations",
    comment="How alike two signals rank instruments; one row for each pair, the first name first in order.",
    scope="run_id",
    key=("run_id", "signal_id", "other_signal_id"),
    columns=(
        *run_columns(),
        SIGNAL,
        Column("other_signal_id", "string", "The other signal"),
        Column("rank_correlation", "double", "Mean rank correlation across instruments", "", True),
    ),
)
