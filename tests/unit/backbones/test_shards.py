"""Shards of a forward pass: every image is in one of them, and every batch is whole."""

import numpy as np
import pytest

from workflow_scripts.backbones.shards import WHOLE, rows_of, shard_names


@pytest.mark.parametrize("n_images", [1, 11, 12, 13, 100])
@pytest.mark.parametrize("number", [1, 2, 3, 5, 40])
def test_shards_are_all_images_in_order_and_begin_with_a_batch(n_images, number):
    shards = [rows_of(shard, n_images, 4) for shard in shard_names(number)]
    assert np.concatenate([np.arange(n_images)[rows] for rows in shards]).tolist() == list(range(n_images))
    assert not [rows for rows in shards if rows.start % 4 and rows.start < rows.stop]
    batches = [-(-(rows.stop - rows.start) // 4) for rows in shards]
    assert max(batches) - min(batches) <= 1


def test_one_shard_is_the_whole_pass():
    assert shard_names(1) == [WHOLE]
    assert rows_of(WHOLE, 70, 64) == slice(0, 70)
    assert shard_names(3) == ["1-of-3", "2-of-3", "3-of-3"]
