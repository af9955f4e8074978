"""Metric views: risk as a workspace's catalog can be asked for it, by any of its dimensions.

A metric view is YAML in the body of CREATE VIEW ... WITH METRICS: a source, dimensions to group by, and
measures, which are aggregates. Its keys are those of Databricks' "Metric view YAML syntax reference", version
1.1, of 2026. A query asks for MEASURE(value_at_risk). The Spark of this machine knows no such view, so tests
put the same expressions together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from acceleray.tables.contract import Table
from acceleray.tables.evidence import RUNS
from acceleray.tables.risk import RISK_MEASURES

VERSION = "1.1"


@dataclass(frozen=True)
class MetricView:
    """One metric view of the gold schema.

    Attributes:
        name: of the view.
        comment: its subject.
        tables: that its source reads; the source has the name of each in braces.
        source: a query.
        dimensions: columns of the source to group by, each with what it means.
        measures: aggregates over the source by name, each with what it means.
    """

    name: str
    comment: str
    tables: tuple[Table, ...]
    source: str
    dimensions: dict[str, str]
    measures: dict[str, tuple[str, str]]

    def query(self, identifier: Callable[[Table], str]) -> str:
        """Return the source with the names that tables have in a catalog."""
        return self.source.format(**{table.name: identifier(table) for table in self.tables})

    def definition(self, identifier: Callable[[Table], str]) -> str:
        """Return the YAML, as it follows AS between two `$$`."""
        content: dict[str, Any] = {
            "version": VERSION,
            "comment": self.comment,
            "source": self.query(identifier),
            "dimensions": [
                {"name": name, "expr": name, "comment": said} for name, said in self.dimensions.items()
            ],
            "measures": [
                {"name": name, "expr": expression, "comment": said}
                for name, (expression, said) in self.measures.items()
            ],
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)

    def statement(self, name: str, identifier: Callable[[Table], str]) -> str:
        """Return the statement that creates the view under a name, or brings it up to date."""
        return (
            f"CREATE OR REPLACE VIEW {name} WITH METRICS LANGUAGE YAML AS $$\n{self.definition(identifier)}$$"
        )


def _largest(measure: str, column: str, what: str) -> tuple[str, str]:
    said = f"{what}; the largest of the rows asked for, as those of several portfolios do not add up"
    return f"max({column}) FILTER (WHERE measure = '{measure}')", said


METRIC_VIEWS = (
    MetricView(
        name="risk_metrics",
        comment="Value at risk and expected shortfall of each portfolio, of the newest run of each date.",
        tables=(RISK_MEASURES, RUNS),
        source=(
            "SELECT m.as_of, m.portfolio_id, m.method, m.confidence, m.horizon_d, m.measure,"
            " max_by(m.currency, r.finished_at) AS currency, max_by(m.value, r.finished_at) AS value,"
            " max_by(m.value_pct_nav, r.finished_at) AS value_pct_nav"
            " FROM {risk_measures} AS m JOIN {runs} AS r ON r.run_id = m.run_id"
            " GROUP BY m.as_of, m.portfolio_id, m.method, m.confidence, m.horizon_d, m.measure"
        ),
        dimensions={
            "as_of": "Date that the risk is of",
            "portfolio_id": "Portfolio",
            "method": "How scenarios were made",
            "confidence": "Confidence of the measure, a share",
            "horizon_d": "Horizon in risk days",
            "currency": "Currency of amounts, ISO 4217 code",
        },
        measures={
            "value_at_risk": _largest("value_at_risk", "value_pct_nav", "Value at risk in % of NAV"),
            "expected_shortfall": _largest(
                "expected_shortfall", "value_pct_nav", "Expected shortfall in % of NAV"
            ),
            "value_at_risk_amount": _largest("value_at_risk", "value", "Value at risk in the currency"),
            "expected_shortfall_amount": _largest(
                "expected_shortfall", "value", "Expected shortfall in the currency"
            ),
        },
    ),
)
"""Every metric view that a workspace is told of."""
