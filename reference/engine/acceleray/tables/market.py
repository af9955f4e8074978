"""Gold market data: returns and features."""

from collections.abc import Sequence
from dataclasses import replace

from acceleray.extend import Signal
from acceleray.tables.contract import INSTRUMENT, Column, Table, source_column

_MADE = (
    Column("made_from", "string", "Digest of what decides the rows of this date: prices, settings and code"),
    Column("made_by", "string", "Run that made the row; later ones found it unchanged", volatile=True),
)

RETURNS = Table(
    layer="gold",
    name="returns",
    comment="Simple returns from risk day to risk day, over whatever lies between two prices.",
    scope="source",
    key=("source", "instrument_id", "date"),
    columns=(
        source_column(),
        INSTRUMENT,
        Column("date", "date", "Risk day on which the return is known"),
        Column("return_1d", "double", "Adjusted price over the one known before, less one", "fraction"),
        Column(
            "span_d", "long", "Risk days it spans; 0 on one without a price, where it is zero", "risk days"
        ),
        *_MADE,
    ),
    checks=(
        # Arithmetic returns may be below -1: see return_level in silver.price_series.
        ("return_is_finite", "abs(return_1d) < CAST('infinity' AS DOUBLE)"),
        ("closed_days_earn_nothing", "span_d >= 0 AND (span_d > 0 OR return_1d = 0)"),
    ),
)

FEATURES = Table(
    layer="gold",
    name="features",
    comment="Cross-sectionally ranked features and the forward return that they should rank.",
    scope="source",
    key=("source", "instrument_id", "date"),
    columns=(
        source_column(),
        INSTRUMENT,
        Column("date", "date", "Day on which the features are known"),
        Column(
            "momentum_12_1",
            "double",
            "Return over 12 months without the last one, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column(
            "momentum_6_1",
            "double",
            "Return over 6 months without the last one, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column("momentum_3m", "double", "Return over 3 months, ranked", "rank -0.5..0.5", True),
        Column("reversal_1m", "double", "Return over 1 month, ranked", "rank -0.5..0.5", True),
        Column("reversal_1w", "double", "Return over 5 days, ranked", "rank -0.5..0.5", True),
        Column(
            "volatility_3m",
            "double",
            "Standard deviation of returns over 63 days, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column(
            "downside_3m", "double", "Root mean squared loss over 63 days, ranked", "rank -0.5..0.5", True
        ),
        Column(
            "drawdown_12m", "double", "Price over its 252-day high, less one, ranked", "rank -0.5..0.5", True
        ),
        Column("skewness_12m", "double", "Skewness of returns over 252 days, ranked", "rank -0.5..0.5", True),
        Column("maximum_1m", "double", "Largest return of the last 21 days, ranked", "rank -0.5..0.5", True),
        Column("beta_12m", "double", "Slope on the market over 252 days, ranked", "rank -0.5..0.5", True),
        Column(
            "downside_beta_12m",
            "double",
            "Slope on the market over the days of 252 on which it fell, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column(
            "residual_momentum_12_1",
            "double",
            "Sum over 12 months without the last of return less beta times market, over deviation, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column(
            "specific_volatility_3m",
            "double",
            "Standard deviation of residuals over 63 days, ranked",
            "rank -0.5..0.5",
            True,
        ),
        Column(
            "forward_return",
            "double",
            "Return over the next horizon, empty where not yet known",
            "fraction",
            True,
        ),
        Column("target", "double", "Forward return, ranked across instruments", "rank -0.5..0.5", True),
        *_MADE,
    ),
)


def feature_names(features: Table) -> tuple[str, ...]:
    """Return the features of a declaration of gold.features, in the order a model knows."""
    others = {"source", "instrument_id", "date", "forward_return", "target"}
    others |= {column.name for column in _MADE}
    return tuple(name for name in features.column_names if name not in others)


def features_with(signals: Sequence[Signal]) -> Table:
    """Return the declaration of gold.features with a column for each signal after those of the engine."""
    if not signals:
        return FEATURES
    own = tuple(
        Column(each.name, "double", f"{each.meaning}, ranked", "rank -0.5..0.5", True) for each in signals
    )
    first = FEATURES.column_names.index("forward_return")
    return replace(FEATURES, columns=(*FEATURES.columns[:first], *own, *FEATURES.columns[first:]))
