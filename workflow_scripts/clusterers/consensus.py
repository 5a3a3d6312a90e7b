"""Take the consensus groups of a study as the clusters of a cell.

The consensus is one partition of the images, made from the partitions of all cells of a study.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from workflow_scripts.clusterers import Progress
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs, read_best, stored_ks
from workflow_scripts.io.store import reading


def cluster(
    points: np.ndarray,
    settings: Mapping[str, Any],
    base_seed: int,
    n_threads: int,
    progress: Progress,
    consensus: str = "",
) -> Iterator[tuple[None, Runs]]:
    """Read the groups of the images from the store `consensus` of the study that the settings name.

    Yields (None, the runs) once; k is None because the study decides the number of groups. The groups do not depend on
    `points` (N, d), which only have to belong to the same images. Raises `UserError` if the numbers of images differ.
    """
    with reading(consensus) as file:
        (k,) = stored_ks(file)
        groups = read_best(file, k).labels
    if len(groups) != len(points):
        raise UserError(
            f"config: clusterers: the consensus of {settings['study']} has {len(groups)} images, the cell has "
            f"{len(points)}; give both the same subset"
        )
    yield None, Runs.single(groups[None])
