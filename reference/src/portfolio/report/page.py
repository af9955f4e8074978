"""The page: data, sentences and figures poured into one HTML file that needs nothing else."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from portfolio.report import figures, figures_backtest, formats, models, quality, risk, words
from portfolio.report.data import Report

_FILTERS = (
    "amount",
    "confidence",
    "count",
    "days",
    "half_life",
    "long_date",
    "number",
    "p_value",
    "percent",
    "plural",
    "shortened",
)


def render(report: Report) -> str:
    """Return the whole page as HTML; the same report gives the same text, byte for byte."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in _FILTERS:
        environment.filters[name] = getattr(formats, name)
    template = environment.from_string(_resource("page.html.j2"))
    return template.render(
        report=report,
        css=Markup(_resource("page.css")),
        figures=figures.draw_all(report),
        history=figures_backtest.history(report.backtest),
        exceptions=figures_backtest.exceptions_by_year(report.backtest),
        verdict=words.verdict(report),
        verdicts=words.VERDICTS,
        words=words,
        limits={
            "contributions": risk.TOP_CONTRIBUTIONS,
            "instruments": models.SHOWN_INSTRUMENTS,
            "gaps": quality.SHOWN_GAPS,
        },
    )


def _resource(name: str) -> str:
    return files("portfolio.report").joinpath(name).read_text(encoding="utf-8")
