"""Predict the clusters of new images with saved models."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from workflow_scripts.io.pixels import Part
from workflow_scripts.models.new_features import Progress, features_of_images
from workflow_scripts.models.saved import SavedModel


def predict_images(
    models: Mapping[str, SavedModel],
    images: Sequence[Path | Part],
    max_pixels: int,
    device: str,
    workers: int,
    progress: Callable[[str], Progress],
) -> dict[str, pd.DataFrame]:
    """Return the predictions of each model for each image: a table as from `SavedModel.predict` for each name.

    The rows of each table are in the order of `images`, which are files or parts of files. Models with the same
    preprocessing and network share one pass over the images; `progress(name of the network)` returns a function that is
    called with (done, total) after each image. On the device that a model was made on, the images that it was made of
    get the same features again. Memory does not grow with the number of images. Raises `UserError` if the weights are
    not those of the model.
    """
    passes: defaultdict[str, dict[str, SavedModel]] = defaultdict(dict)
    for name, model in models.items():
        network = {key: value for key, value in model.facts["backbone"].items() if key != "layer"}
        passes[json.dumps([model.facts["preprocess"], network], sort_keys=True)][name] = model
    tables: dict[str, pd.DataFrame] = {}
    for alike in passes.values():
        blocks = features_of_images(list(alike.values()), images, max_pixels, device, workers, progress)
        predicted = [{name: model.predict(block[model.layer]) for name, model in alike.items()} for block in blocks]
        tables |= {name: pd.concat([block[name] for block in predicted], ignore_index=True) for name in alike}
    return tables
