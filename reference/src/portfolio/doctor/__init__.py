"""What this machine is missing for a profile, in plain lines, found without starting Spark or Ray.

And, where asked, which engine each stage belongs to at the sizes of this project.
"""

from portfolio.doctor.advice import advise
from portfolio.doctor.examination import examine
from portfolio.doctor.finding import Finding

__all__ = ["Finding", "advise", "examine"]
