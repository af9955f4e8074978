"""The derivatives of the log of the gamma function, written so that they can be compiled."""

from __future__ import annotations

import math


def digamma(x: float) -> float:
    """Return the first derivative of log gamma at `x` > 0, to 1e-14 of its value or of one.

    Recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 1964, 6.3.5 and 6.3.18).
    """
    lower = 0.0
    while x < 10.0:
        lower -= 1.0 / x
        x += 1.0
    f = 1.0 / (x * x)
    series = f * (1 / 252 - f * (1 / 240 - f * (1 / 132 - f * (691 / 32760))))
    return lower + math.log(x) - 0.5 / x - f * (1 / 12 - f * (1 / 120 - series))


def trigamma(x: float) -> float:
    """Return the second derivative of log gamma at `x` > 0, to 1e-14 of its value.

    Recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 1964, 6.4.6 and 6.4.12).
    """
    lower = 0.0
    while x < 10.0:
        lower += 1.0 / (x * x)
        x += 1.0
    f = 1.0 / (x * x)
    series = f * (1 / 42 - f * (1 / 30 - f * (5 / 66 - f * (691 / 2730))))
    return lower + 1.0 / x + f / 2.0 + f / x * (1 / 6 - f * (1 / 30 - series))
