"""Predict the clusters of images and of their perturbed versions, such as rotated or blurred images."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

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
    """Return the clusters of some images and of their perturbed versions, in a cell's best clustering.

    Parameters
    ----------
    sources, cell, settings : as for `models.fitting.fit_model`.
    folder : the folder of the raw images.
    n_images : number of images to draw, in proportion to the sizes of the classes.
    seed : seed of the draw.
    max_pixels : largest allowed number of pixels of a raw image.
    device : device of the network.
    workers : number of processes that preprocess images.
    progress : called after each image with the number of images done and of all images.

    Returns
    -------
    DataFrame with one row per image and version: `image_id`, `path`, `label` ("" if missing), `perturbation` (its
    name), `strength` (NaN if it has none), `group` (cluster of the unchanged image) and `group_perturbed` (cluster of
    the version). The cluster of an image is the one with the nearest centre.
    """
    with threadpool_limits(1):  # the last bits depend on the number of threads
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
    """Return the sorted indices of `n_images` images, drawn at random in proportion to the sizes of the classes.

    `labels` (N,) are the classes. If there are no more than `n_images` images, all are returned.
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(labels)), labels.astype(str)))
    return np.sort(order[evenly(len(labels), n_images)])


def _long(images: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    """Return the table of `perturbed_groups`, sorted by version.

    `groups` (n, 1 + versions) are the clusters of each image, unchanged and in each version.
    """
    tables: Sequence[pd.DataFrame] = [
        images.assign(perturbation=name, strength=strength, group=groups[:, 0], group_perturbed=groups[:, number])
        for number, (name, strength) in enumerate(VERSIONS, start=1)
    ]
    return pd.concat(tables, ignore_index=True)
