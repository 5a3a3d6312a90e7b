"""The saved model: a folder with `model.json` and `model.safetensors`, and no code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.spatial.distance import cdist

from workflow_scripts.errors import UserError
from workflow_scripts.io.store import replacing

FORMAT_VERSION = 1
ENCODER = "autoencoder."
COLUMNS = ("cluster", "name", "predicted", "distance", "margin", "novelty", "outlier")


@dataclass(frozen=True)
class SavedModel:
    """A clustering that can predict the clusters of new images.

    Attributes
    ----------
    facts :
        the JSON content of `model.json`: the cell's choices, `preprocess` (steps), `backbone` (with the layer and the
    SHA-256
        of the weights), `reduction` (`whiten`, `n_components`, and `settings` of the decomposition, null if the
    features
        themselves are clustered), `clusters` (a list: `cluster, size, predicted, name`), `novelty` (`threshold`,
    `quantile`),
        and the origin of the model.
    tensors :
        float32 arrays: `centers` (k, C), the centres in the space that was clustered; `feature_centers` (k, d), the
    means of
        the features of each cluster; of a PCA `mean` (d,), `components` (C, d), `explained_variance` (C,); of an
    autoencoder
        its own tensors, with names that begin with `ENCODER`.
    """

    facts: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]

    @property
    def layer(self) -> str:
        """Return the name of the layer whose features the model takes."""
        return self.facts["backbone"]["layer"]

    def points(self, features: np.ndarray) -> np.ndarray:
        """Return features (n, d) in the space that was clustered, (n, C) float64."""
        reduction = self.facts["reduction"]
        if reduction["settings"] is None:
            return np.asarray(features, dtype=np.float64)
        if reduction["settings"]["method"] == "autoencoder":
            return self._encoder.encode(features).astype(np.float64)
        scores = (features - self.tensors["mean"].astype(np.float64)) @ self.tensors["components"].T.astype(np.float64)
        return scores / np.sqrt(self.tensors["explained_variance"]) if reduction["whiten"] else scores

    def predict(self, features: np.ndarray) -> pd.DataFrame:
        """Return the predictions for images with these features (n, d), one row each, with the columns `COLUMNS`.

        `cluster` is the cluster of the nearest centre, at `distance` in the space that was clustered; `name` is its
        name in figures, `predicted` the class that it votes for (None without labels). `margin` is 1 - distance /
        distance to the nearest centre with another vote: 1 at the centre, 0 on the border; NaN if there is no other.
        `novelty` is the distance to the nearest cluster among all features, including what the reduction leaves out, in
        units of the threshold; above 1 the image is an `outlier`, unlike the images that the model was fitted to.
        """
        distances = cdist(self.points(features), self.tensors["centers"])
        nearest = distances.argmin(axis=1)
        rows = np.arange(len(nearest))
        elsewhere = np.where(self._votes[nearest][:, None] == self._votes, np.inf, distances).min(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            margin = np.where(np.isinf(elsewhere), np.nan, 1 - distances[rows, nearest] / elsewhere)
        novelty = cdist(features, self.tensors["feature_centers"]).min(axis=1) / self.facts["novelty"]["threshold"]
        clusters = pd.DataFrame(self.facts["clusters"]).loc[nearest, ["cluster", "name", "predicted"]]
        return clusters.reset_index(drop=True).assign(
            distance=distances[rows, nearest], margin=margin, novelty=novelty, outlier=novelty > 1
        )

    @cached_property
    def _encoder(self) -> Any:
        from workflow_scripts.reduce.autoencoder import restored  # imports torch, which a PCA does not need

        tensors = {
            name.removeprefix(ENCODER): tensors for name, tensors in self.tensors.items() if name.startswith(ENCODER)
        }
        return restored(self.facts["reduction"]["settings"], tensors)

    @cached_property
    def _votes(self) -> np.ndarray:
        """Return a number for the class of each cluster, (k,); each cluster without a vote has its own number."""
        names = [cluster["predicted"] or (cluster["cluster"],) for cluster in self.facts["clusters"]]
        return np.array([names.index(name) for name in names])


def save_model(model: SavedModel, facts_path: str, tensors_path: str) -> None:
    """Write the two files of the model; the same model always gives the same bytes."""
    with replacing(tensors_path) as temporary:
        temporary.write_bytes(
            save({name: np.ascontiguousarray(tensor) for name, tensor in sorted(model.tensors.items())})
        )
    with replacing(facts_path) as temporary:
        facts = {"format_version": FORMAT_VERSION, **model.facts}
        temporary.write_text(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def load_model(facts_path: str, tensors_path: str) -> SavedModel:
    """Read the two files of a model; raises `UserError` if they do not have this format."""
    try:
        facts = json.loads(Path(facts_path).read_text(encoding="utf-8"))
        tensors = load(Path(tensors_path).read_bytes())
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{facts_path}: the model cannot be read ({error}); make it again") from None
    if facts.get("format_version") != FORMAT_VERSION:
        version = facts.get("format_version")
        raise UserError(f"{facts_path}: found format version {version}, allowed: {FORMAT_VERSION}; make it again")
    return SavedModel(facts, tensors)
