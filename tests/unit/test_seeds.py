"""Seeds depend on the base seed and on the names of their use, and on nothing else."""

import hashlib

import numpy as np

from workflow_scripts.seeds import seed


def test_a_seed_is_the_beginning_of_a_hash():
    expected = int.from_bytes(hashlib.sha256(b"(3, 'kmeans', 10)").digest()[:4], "little")
    assert seed(3, "kmeans", 10) == expected < 2**32


def test_a_number_of_numpy_counts_as_one_of_python():
    assert seed(np.int64(3), np.int32(7)) == seed(3, 7) == seed(3, np.uint8(7))


def test_every_name_and_their_order_count():
    seeds = [seed(0), seed(1), seed(0, 1), seed(0, "1"), seed(0, 1, 2), seed(0, 2, 1), seed(0, 12)]
    assert len(set(seeds)) == len(seeds)
