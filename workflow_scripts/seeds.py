"""Seeds that depend on nothing but what they are for."""

import hashlib


def seed(base: int, *names: int | str) -> int:
    """A 32-bit seed that is a function of the base seed and of what it is for, never of the order of execution."""
    key = tuple(name if isinstance(name, str) else int(name) for name in (base, *names))  # 7 is numpy's 7 too
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:4], "little")
