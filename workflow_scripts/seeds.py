"""Random seeds that do not depend on the order of execution."""

import hashlib


def seed(base: int, *names: int | str) -> int:
    """Return a 32-bit seed computed from the base seed and from numbers or words that say what the seed is for.

    For example, `seed(base, k, repeat)` is the seed of one repeat of a clustering with k clusters.
    """
    key = tuple(name if isinstance(name, str) else int(name) for name in (base, *names))  # numpy's 7 is a 7 too
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "little")
