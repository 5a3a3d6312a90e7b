"""Random numbers that depend only on the seed and the number of the restart.

Number n of a restart is SplitMix64's output function of ``key + n * GAMMA`` (Steele, Lea & Flood 2014, figure 13); the
key is a hash of the seed and of the restart's number. A restart needs no numbers of other restarts, so results do not
depend on the number of threads or on how the restarts are divided among calls.
"""

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)
"""The odd number next to 2^64 divided by the golden ratio, as in the paper."""


def uniforms(seed: int, restarts: range, count: int) -> np.ndarray:
    """Return the first `count` random numbers of each restart, (len(restarts), count) float64 in [0, 1)."""
    key = np.uint64(seed % 2**64)
    with np.errstate(over="ignore"):
        numbers = np.arange(restarts.start, restarts.stop, dtype=np.uint64)
        keys = _mix(_mix(np.atleast_1d(key + GAMMA)) + _mix(numbers * GAMMA + GAMMA))
        draws = _mix(keys[:, None] + np.arange(1, count + 1, dtype=np.uint64) * GAMMA)
    return (draws >> np.uint64(11)) * 2.0**-53


def random_points(seed: int, restarts: range, k: int, n: int) -> np.ndarray:
    """Return for each restart the indices of k of n points, drawn without replacement, (len(restarts), k) int32.

    Floyd's algorithm draws them (Bentley & Floyd 1987).
    """
    draws = uniforms(seed, restarts, k)
    chosen = np.empty(draws.shape, np.int32)
    for j in range(k):
        last = n - k + j
        pick = (draws[:, j] * (last + 1)).astype(np.int32)
        taken = (chosen[:, :j] == pick[:, None]).any(axis=1)
        chosen[:, j] = np.where(taken, last, pick)
    return chosen


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
