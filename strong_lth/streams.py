"""Counter-based random words: every number is a pure function of a seed and of where it stands.

One block of Philox4x64-10 (Salmon, Moraes, Dror and Shaw, SC 2011) turns a 128-bit key and a 256-bit counter into four 64-bit words. Key =
(seed, ``KEY_TAG``); counter = (1 + position // 4, a, b, c), word = position % 4, where (a, b, c) names the stream. The words therefore do not
depend on the order in which streams are read, on how many workers read them, or on how many more are read later: a longer
stream begins with the shorter one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import InputError

KEY_TAG = 0x7374726F6E675F31  # the ASCII letters "strong_1"; a new tag would be a new family of streams
UNIT_BITS = 40  # uniform_grid: multiples of 2^-40 in [-1, 1)
FACTOR_BITS = 24  # factor_grid: multiples of 2^-24, so that a product of two lies on 2^-48

Words = NDArray[np.uint64]
Grid = NDArray[np.int64]


def check_seed(seed: int) -> int:
    """Return the seed as an int in [0, 2^64), or raise InputError."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**64:
        raise InputError("seed", repr(seed), "give a whole number from 0 to 2^64 - 1")
    return int(seed)


class WordStream:
    """Reads words of the streams of one seed.

    >>> WordStream(7).words(0, 0, 0, 3)
    array([  885331904205877061, 13740381045140836173,    75450037117810267],
          dtype=uint64)
    """

    def __init__(self, seed: int) -> None:
        self._key = np.array([check_seed(seed), KEY_TAG], dtype=np.uint64)
        self._bits = np.random.Philox(key=self._key)
        self._state = self._bits.state

    def words(self, a: int, b: int, c: int, count: int) -> Words:
        """The first ``count`` words of stream (a, b, c), shape (count,). Not thread-safe: one reader per thread."""
        self._state["state"]["counter"] = np.array([0, a, b, c], dtype=np.uint64)
        self._state["buffer_pos"] = 4
        self._bits.state = self._state
        return self._bits.random_raw(count)


def uniform_grid(words: Words) -> Grid:
    """Integers m with m 2^-40 uniform on the grid of [-1, 1): m = (word >> 23) - 2^40."""
    return (words >> np.uint64(23)).astype(np.int64) - (1 << UNIT_BITS)


def factor_grid(words: Words) -> Grid:
    """Integers m with m 2^-24 uniform on the grid of [-1, 1): m = (word >> 39) - 2^24."""
    return (words >> np.uint64(39)).astype(np.int64) - (1 << FACTOR_BITS)


def sign_grid(words: Words) -> Grid:
    """Random signs +1 or -1 from the top bit of each word."""
    return 1 - 2 * (words >> np.uint64(63)).astype(np.int64)


def trial_generator(seed: int, trial: int) -> np.random.Generator:
    """A generator of its own for trial number ``trial``: the same numbers on any worker, in any order."""
    counter = np.array([0, 0, check_seed(trial), 1 << 63], dtype=np.uint64)
    return np.random.Generator(
        np.random.Philox(key=np.array([check_seed(seed), KEY_TAG], dtype=np.uint64), counter=counter)
    )
