"""Random seeds that do not depend on the order of execution."""

import hashlib


def seed(base: int, *names: int | str) -> int:
    """Return a 32-bit seed computed from the base seed and the names of its use, for instance k and the repeat."""
    key = tuple(name if isinstance(name, str) else int(name) for name in (base, *names))  # numpy's 7 counts as 7
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "little")
