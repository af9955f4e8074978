"""What this machine is missing for a profile, in plain lines, found without starting Spark or Ray."""

from portfolio.doctor.examination import examine
from portfolio.doctor.finding import Finding

__all__ = ["Finding", "examine"]
