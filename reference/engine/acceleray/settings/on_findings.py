"""Handling of findings in prices, and the place of the corrections file."""

from __future__ import annotations

from typing import Literal

from acceleray.settings.section import Section

CORRECTIONS_FILE = "conf/corrections.csv"
"""Where corrections of prices are looked for; there need be none."""


class OnFindings(Section):
    """Handling of price findings by severity: report and continue, or refuse.

    A file of returns or of another frequency is refused whatever this says.
    """

    error: Literal["report", "refuse"] = "report"
    warning: Literal["report", "refuse"] = "report"
    info: Literal["report", "refuse"] = "report"

    def refuses(self, severity: str) -> bool:
        """Return whether a run with a finding of this severity is refused."""
        return bool(getattr(self, severity) == "refuse")
