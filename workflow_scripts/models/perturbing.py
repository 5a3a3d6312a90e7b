"""Into which groups of a cell images fall, and into which their perturbed versions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.metrics.evenly import evenly
from workflow_scripts.models.fitting import fit_model
from workflow_scripts.models.new_features import features_of
from workflow_scripts.preprocess.perturbations import VERSIONS, versions
from workflow_scripts.preprocess.pipeline import files_and_pixels, of_image
from workflow_scripts.preprocess.stack import images_of, processes_for


def perturbed_groups(
    sources: Mapping[str, str],
    cell: Mapping[str, Any],
    settings: Mapping[str, Any],
    folder: Path,
    *,
    n_images: int,
    seed: int,
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[int, int], None],
) -> pd.DataFrame:
    """Put some images, and every perturbed version of them, into the clusters of a cell's best clustering.

    Parameters
    ----------
    sources, cell, settings : as for `models.fitting.fit_model`.
    folder : of the raw images.
    n_images : number of images to draw, in proportion to the sizes of the classes.
    seed : of the draw.

    Returns
    -------
    DataFrame, a row per image and version: `image_id`, `path`, `label` ("" without one), `perturbation`, `strength`
    (NaN where it has none), `group` of the image as it is and `group_perturbed`, both by the nearest centre.
    """
    model = fit_model(sources, cell, settings)
    files = OneCell(cell, sources)
    manifest = files.manifest().assign(label=files.labels())
    images = manifest.iloc[drawn(manifest["label"].to_numpy(), n_images, seed)].reset_index(drop=True)
    make = partial(of_image, make=partial(versions, steps=settings["preprocess"]["steps"]), max_pixels=max_pixels)
    pixels = files_and_pixels(images_of(images, folder), max_pixels)
    blocks = ordered_map(make, pixels, processes_for(images, workers))
    groups = []
    for done, features in enumerate(features_of([model], blocks, device, workers), start=1):
        groups.append(model.predict(features[model.layer])["cluster"].to_numpy())
        progress(done, len(images))
    return _long(images[["image_id", "path", "label"]], np.array(groups))


def drawn(labels: np.ndarray, n_images: int, seed: int) -> np.ndarray:
    """Draw `n_images` of the N images at random, in proportion to the size of each class; return their sorted indices.

    `labels` is (N,). All images are returned if there are no more than `n_images`.
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(labels)), labels.astype(str)))
    return np.sort(order[evenly(len(labels), n_images)])


def _long(images: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    """Return a table with one row per version and image from `groups` (n, 1 + versions), ordered by version."""
    tables: Sequence[pd.DataFrame] = [
        images.assign(perturbation=name, strength=strength, group=groups[:, 0], group_perturbed=groups[:, number])
        for number, (name, strength) in enumerate(VERSIONS, start=1)
    ]
    return pd.concat(tables, ignore_index=True)
