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
    """Return for each model, by its name, a table of its predictions for all images (see `SavedModel.predict`).

    The rows of a table are in the order of `images`, which are files or parts of files. For models with the same
    preprocessing and network, features are computed only once. An image on which a model was made gets the same
    features as then, if the device is the same. Memory for images does not grow with their number. `progress` is called
    with the name of the network, and returns a function that is called with (done, total) after each image. Raises
    `UserError` if the weights are not those of the model.
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
