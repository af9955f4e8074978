"""Missing requirements of a profile on this machine, in plain lines, without starting Spark or Ray.

And, where asked, which engine each stage belongs to at the sizes of this project.
"""

from acceleray.doctor.advice import advise
from acceleray.doctor.examination import examine
from acceleray.doctor.finding import Finding

__all__ = ["Finding", "advise", "examine"]
