"""Gold what-if: questions that were asked of a run's scenarios, and kept."""

from acceleray.tables.contract import PORTFOLIO, Column, Table, run_columns


def _measures(horizon: str, words: str) -> tuple[Column, ...]:
    found = []
    for short, name in (("var", "value at risk"), ("es", "expected shortfall")):
        whole = f"{name[0].upper()}{name[1:]} {words}"
        found += [
            Column(f"{short}_{horizon}_before", "double", f"{whole}, before the trades", "currency"),
            Column(f"{short}_{horizon}_after", "double", f"{whole}, after all of them", "currency"),
            Column(
                f"{short}_{horizon}_incremental",
                "double",
                f"Change in {name} {words} by the trade: with it less without it; of all trades together",
                "currency",
            ),
        ]
    return tuple(found)


WHAT_IF = Table(
    layer="gold",
    name="what_if",
    comment="Proposed trades and their risk; one row per trade, and one for all together.",
    scope="run_id",
    key=("run_id", "question_id", "instrument_id"),
    columns=(
        *run_columns(),
        Column("question_id", "string", "SHA-256 over portfolio, trades, hedges and scenarios, 16 digits"),
        PORTFOLIO,
        Column("instrument_id", "string", "Instrument traded; empty for all trades together"),
        Column("quantity", "double", "Units bought, a sale negative", "units", True),
        Column("amount", "double", "Money they cost, a sale negative", "currency"),
        Column("currency", "string", "Base currency of the portfolio, ISO 4217 code"),
        *_measures("1d", "over one day"),
        *_measures("long", "over the long horizon"),
        Column("long_horizon_d", "long", "The long horizon", "trading days"),
        Column("scenarios", "long", "Scenarios of the long horizon"),
        Column("best_hedge", "string", "Candidate that leaves the least expected shortfall, empty for none"),
        Column("best_hedge_amount", "double", "Its best amount, a sale negative", "currency"),
    ),
)
