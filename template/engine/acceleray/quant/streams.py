"""Random numbers that depend on what they are for, never on who draws them or in which order."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """Purpose of a stream; two purposes never share numbers, even at the same seed and index."""

    SCENARIO_DAYS = 0
    MISSING_RESIDUALS = 1
    BOOK = 2
    COPULA_NORMALS = 3
    COPULA_MIXING = 4
    UNIVERSE_MARKET = 5
    UNIVERSE_INSTRUMENT = 6
    SIGNAL_DAYS = 7
    UNIVERSE_PREDICTION = 8
    EXCEEDANCES = 9
    NULL_RECORD = 10
    BACKTEST_DAYS = 11


class Stream:
    """The numbers of one seed, index and purpose, drawn a part at a time: the parts make up the whole.

    The generator is Philox 4x64 (Salmon et al. 2011) with (seed, index) as its key and the purpose in the
    highest word of its counter.
    Only the raw bits are taken from NumPy, because these are promised to stay the same between NumPy versions
    whereas the methods of ``Generator`` are not.
    """

    def __init__(self, seed: int, index: int, purpose: Purpose, skipped: int = 0) -> None:
        """Start after the ``skipped`` first numbers; ValueError unless seed and index fit in 64 bits."""
        if not (0 <= seed < 2**64 and 0 <= index < 2**64):
            raise ValueError("seed and index must be whole numbers from 0 to 2**64 - 1")
        key = np.array([seed, index], dtype=np.uint64)
        # A step of the counter is good for four numbers.
        counter = np.array([skipped // 4, 0, 0, int(purpose)], dtype=np.uint64)
        self._generator = np.random.Philox(key=key, counter=counter)
        self._generator.random_raw(skipped % 4, output=False)

    def bits(self, size: int) -> NDArray[np.uint64]:
        """Return the next ``size`` numbers as 64 random bits each; the highest 53 are those of `uniforms`."""
        return np.asarray(self._generator.random_raw(size))

    def uniforms(self, size: int) -> NDArray[np.float64]:
        """Return the next ``size`` numbers in [0, 1), each a multiple of 2**-53."""
        return np.asarray((self.bits(size) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def uniforms(seed: int, index: int, purpose: Purpose, size: int) -> NDArray[np.float64]:
    """Return the first ``size`` numbers in [0, 1) of a stream; errors as in ``Stream``.

    A longer draw starts with the numbers of a shorter one.
    """
    return Stream(seed, index, purpose).uniforms(size)


def integers(seed: int, index: int, purpose: Purpose, size: int, below: int) -> NDArray[np.int64]:
    """Return ``size`` whole numbers from 0 to ``below - 1``, equally likely to within ``below / 2**53``."""
    if below < 1:
        raise ValueError("there must be at least one number to draw from")
    return np.asarray(uniforms(seed, index, purpose, size) * below, dtype=np.int64)
