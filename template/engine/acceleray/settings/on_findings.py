"""What a run does about findings in its prices, and where corrections of prices are."""

from __future__ import annotations

from typing import Literal

from acceleray.settings.section import Section

CORRECTIONS_FILE = "conf/corrections.csv"
"""Where corrections of prices are looked for; there need be none."""


class OnFindings(Section):
    """What a run does about findings in the prices of a severity: goes on and reports them, or refuses.

    A file of returns or of another frequency is refused whatever this says.
    """

    error: Literal["report", "refuse"] = "report"
    warning: Literal["report", "refuse"] = "report"
    info: Literal["report", "refuse"] = "report"

    def refuses(self, severity: str) -> bool:
        """Return whether a run with a finding of this severity is refused."""
        return bool(getattr(self, severity) == "refuse")
