"""All settings of a project: one frozen object, read from conf/ and overridable by name.

`conf/base.yml` holds what every environment shares, `conf/<environment>.yml` what differs there, and
`--set section.key=value` what one run wants different. Nothing else in the package reads a file or an
environment variable to decide how it behaves.
"""

from acceleray.settings.files import known_names, load
from acceleray.settings.sections import Backtest, Risk, Settings
from acceleray.settings.signal import Model, Signals, Train, Tune

__all__ = ["Backtest", "Model", "Risk", "Settings", "Signals", "Train", "Tune", "known_names", "load"]
