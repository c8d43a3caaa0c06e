"""Random words: the published generator, and streams that do not depend on how they are read."""

from __future__ import annotations

import numpy as np
import pytest

from strong_lth.core import InputError
from strong_lth.stats import binomial_p_value
from strong_lth.streams import (
    KEY_TAG,
    WordStream,
    check_seed,
    factor_grid,
    sign_grid,
    trial_generator,
    uniform_grid,
)

MASK = 2**64 - 1


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """One block of Philox4x64-10, from its definition, in whole numbers."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * 0xD2E7470EE14C6C93, c2 * 0xCA5A826395121157
        c0, c1, c2, c3 = (p1 >> 64) ^ c1 ^ k0, p1 & MASK, (p0 >> 64) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return c0, c1, c2, c3


def test_the_oracle_is_the_published_generator() -> None:
    """Known answers published with the generator (Random123)."""
    assert philox((0, 0, 0, 0), (0, 0)) == (
        0x16554D9ECA36314C,
        0xDB20FE9D672D0FDC,
        0xD7E772CEE186176B,
        0x7E68B68AEC7BA23B,
    )
    assert philox((MASK,) * 4, (MASK,) * 2) == (
        0x87B092C3013FE90B,
        0x438C3C67BE8D0224,
        0x9CC7D7C69CD777B6,
        0xA09CAEBF594F0BA0,
    )


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
@pytest.mark.parametrize("stream", [(0, 0, 0), (1, 2, 3), (2**40, 5, 2**63 + 9)])
def test_words_are_philox_blocks(seed: int, stream: tuple[int, int, int]) -> None:
    words = WordStream(seed).words(*stream, 11).tolist()
    blocks = [philox((1 + block, *stream), (seed, KEY_TAG)) for block in range(3)]
    assert words == [word for block in blocks for word in block][:11]


def test_a_longer_stream_begins_with_the_shorter_and_order_does_not_matter() -> None:
    reader = WordStream(3)
    long = reader.words(1, 2, 3, 1000)
    other = reader.words(1, 2, 4, 5)
    for count in (0, 1, 3, 4, 5, 998):
        assert np.array_equal(reader.words(1, 2, 3, count), long[:count])
    assert np.array_equal(WordStream(3).words(1, 2, 4, 5), other)
    assert not np.array_equal(other, long[:5])
    assert not np.array_equal(WordStream(4).words(1, 2, 3, 1000), long)


def test_grids_have_the_stated_range_and_spacing() -> None:
    ends = np.array([0, 2**64 - 1], dtype=np.uint64)
    assert uniform_grid(ends).tolist() == [-(2**40), 2**40 - 1]
    assert factor_grid(ends).tolist() == [-(2**24), 2**24 - 1]
    assert sign_grid(ends).tolist() == [1, -1]
    words = WordStream(0).words(0, 0, 0, 20_000)
    fine, coarse = uniform_grid(words) * 2.0**-40, factor_grid(words) * 2.0**-24
    assert np.all(np.abs(fine - coarse) < 2.0**-23)  # the same word, cut earlier
    assert np.all(np.where(fine >= 0, -1, 1) == sign_grid(words))


@pytest.mark.statistical
def test_words_look_uniform() -> None:
    words = WordStream(11).words(0, 0, 0, 20_000)
    below = int((uniform_grid(words) * 2.0**-40 < 0.5).sum())
    positive = int((sign_grid(words) > 0).sum())
    assert (below, positive) == (14943, 10010)
    for count, p in ((below, 0.75), (positive, 0.5)):
        assert binomial_p_value(count, 20_000, p) > 1e-3
        assert binomial_p_value(count, 20_000, p, alternative="less") > 1e-3
    assert binomial_p_value(below, 20_000, 0.73) < 1e-3  # negative control


def test_trial_generators_are_separate_and_repeatable() -> None:
    draws = [trial_generator(5, trial).random(4) for trial in range(50)]
    assert np.array_equal(trial_generator(5, 17).random(4), draws[17])
    assert len({tuple(d) for d in draws}) == 50
    assert not np.array_equal(trial_generator(6, 17).random(4), draws[17])


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "0", None])
def test_bad_seeds_are_refused(seed: object) -> None:
    for use in (check_seed, WordStream, lambda s: trial_generator(s, 0)):
        with pytest.raises(InputError, match=r"^seed: "):
            use(seed)  # type: ignore[arg-type]


def test_whole_numpy_seeds_are_accepted() -> None:
    assert check_seed(np.uint64(2**64 - 1)) == 2**64 - 1
    assert np.array_equal(WordStream(np.int64(7)).words(0, 0, 0, 4), WordStream(7).words(0, 0, 0, 4))  # type: ignore[arg-type]
