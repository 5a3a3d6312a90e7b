"""Save and load models. A model is a folder with two files, `model.json` and `model.safetensors`, and has no code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.spatial.distance import cdist

from workflow_scripts.backbones import codebook
from workflow_scripts.errors import UserError
from workflow_scripts.io.files import replacing
from workflow_scripts.metrics.votes import ranks
from workflow_scripts.models.novelty import LARGEST, novelty
from workflow_scripts.reduce.placing import placing_by
from workflow_scripts.reduce.protocol import Place

FORMAT_VERSION = 4
"""Version of the files of a model; a model with another version has to be made again."""
COLUMNS = ("cluster", "name", "predicted", "distance", "margin", "novelty", "outlier")
"""Columns of predictions, in order."""


@dataclass(frozen=True)
class SavedModel:
    """A clustering that can predict the clusters of new images.

    Attributes
    ----------
    facts :
        the JSON content of `model.json`: `cell` (its choices), `preprocess` (its steps), `backbone` (with the layer and
        the SHA-256 of the weights; if several are joined, `join` lists them), `reduction` (`whiten`, `n_components`,
        and `settings` of the decomposition, null if the features themselves are clustered), `clusters` (for each
        cluster `cluster`, `size`, `predicted` and `name`), `novelty` (`threshold` and `rate`), `held_out` (ids of the
        held-out images), and other facts about the origin of the model.
    tensors :
        arrays by name, float32 unless stated otherwise: `centers` (k, C), the centres in the space that was clustered;
        `kept_images` (M, d), features of images of the model; `spread` (M,), see `novelty.spreads`; `held_out` (H,),
        the novelties of the held-out images. Also the arrays of the decomposition's `read_tensors`, in their own types,
        and those of codebooks, whose names begin with `codebook.PREFIX`.
    """

    facts: Mapping[str, Any]
    tensors: Mapping[str, np.ndarray]

    @property
    def layer(self) -> str:
        """Return the name of the layer whose features the model needs."""
        return self.facts["backbone"]["layer"]

    @property
    def clusters(self) -> pd.DataFrame:
        """Return a table with the index `cluster`, and with `size`, `predicted`, `name` and `rank` (see
        `metrics.votes.ranks`) of each cluster."""
        table = pd.DataFrame(self.facts["clusters"]).set_index("cluster")
        return table.assign(rank=ranks(table))

    def points(self, features: np.ndarray) -> np.ndarray:
        """Project features (n, d) into the space that was clustered; return (n, C) float64."""
        return self._place(features)

    def predict(self, features: np.ndarray) -> pd.DataFrame:
        """Return the predictions for images with these features (n, d), one row for each image, with these columns:

        - `cluster`: the cluster with the nearest centre, in the space that was clustered;
        - `name`: the cluster's name in figures;
        - `predicted`: the class of most labelled images of the cluster; None without labels;
        - `distance`: the distance to the nearest centre;
        - `margin`: 1 - `distance` / (distance to the nearest centre of a cluster with another class). It is 1 at the
          centre and 0 on the border between the two; NaN if all clusters have the same class;
        - `novelty`: the novelty (`models.novelty`) divided by the threshold;
        - `outlier`: whether `novelty` is above 1, so that the image is unlike the images of the model.
        """
        distances = cdist(self.points(features), self.tensors["centers"])
        nearest = distances.argmin(axis=1)
        rows = np.arange(len(nearest))
        elsewhere = np.where(self._votes[nearest][:, None] == self._votes, np.inf, distances).min(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            margin = np.where(np.isinf(elsewhere), np.nan, 1 - distances[rows, nearest] / elsewhere)
        novel = self.in_thresholds(novelty(features, self.tensors["kept_images"], self.tensors["spread"]))
        clusters = pd.DataFrame(self.facts["clusters"]).loc[nearest, ["cluster", "name", "predicted"]]
        return clusters.reset_index(drop=True).assign(
            distance=distances[rows, nearest], margin=margin, novelty=novel, outlier=novel > 1
        )

    def in_thresholds(self, novelties: np.ndarray) -> np.ndarray:
        """Return novelties (n,) divided by the model's threshold, (n,) float32.

        The novelties are rounded to float32 first. The model keeps those of the held-out images as float32, so both
        can be compared.
        """
        with np.errstate(over="ignore"):
            ratios = np.asarray(novelties, dtype=np.float32) / np.float32(self.facts["novelty"]["threshold"])
        return np.minimum(ratios, np.float32(LARGEST))

    @cached_property
    def _place(self) -> Place:
        reduction = self.facts["reduction"]
        if reduction["settings"] is None:
            return partial(np.asarray, dtype=np.float64)
        return placing_by(reduction["settings"]).placing(reduction, self.tensors)

    @cached_property
    def _votes(self) -> np.ndarray:
        """Return a number for the class `predicted` of each cluster, (k,) integers.

        Clusters with the same class have the same number. A cluster without a class has a number of its own.
        """
        names = [cluster["predicted"] or (cluster["cluster"],) for cluster in self.facts["clusters"]]
        return np.array([names.index(name) for name in names])


class _Part(BaseModel):
    """The base class of the objects in `model.json`. Unknown keys are allowed, and types are not converted."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")


class _Cluster(_Part):
    cluster: int = Field(ge=0)
    size: int = Field(ge=1)
    predicted: str | None
    name: str


class _Reduction(_Part):
    whiten: bool
    n_components: int = Field(ge=1)
    settings: dict[str, Any] | None


class _Backbone(_Part):
    layer: str
    batch_size: int = Field(ge=1)
    weights_sha256: str
    join: "list[_Joined]" = []


class _Joined(_Backbone):
    backbone: str


class _Novelty(_Part):
    threshold: float = Field(ge=0)


class _Facts(_Part):
    """The keys that `model.json` must have."""

    preprocess: dict[str, list[dict[str, Any]]]
    backbone: _Backbone
    reduction: _Reduction
    clusters: list[_Cluster] = Field(min_length=1)
    novelty: _Novelty
    held_out: list[str] = Field(min_length=1)


def save_model(model: SavedModel, facts_path: str, tensors_path: str) -> None:
    """Write the two files of a model. The same model always gives the same bytes."""
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in sorted(model.tensors.items())})
    facts = {"format_version": FORMAT_VERSION, **model.facts}
    with replacing(tensors_path) as temporary:
        temporary.write_bytes(content)
    with replacing(facts_path) as temporary:
        sealed = {**facts, "sha256": _checksum(facts, content)}
        temporary.write_text(json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _checksum(facts: Mapping[str, Any], tensors: bytes) -> str:
    """Return one SHA-256, in hex digits, of the facts without their checksum and of the bytes of the tensors."""
    text = json.dumps(facts, sort_keys=True)
    return sha256(text.encode() + sha256(tensors).digest()).hexdigest()


def load_model(facts_path: str, tensors_path: str) -> SavedModel:
    """Read the two files of a model. Raises `UserError` if they are damaged, were changed, or have another format."""
    try:
        facts, content = json.loads(Path(facts_path).read_text(encoding="utf-8")), Path(tensors_path).read_bytes()
        version = facts.get("format_version")
        sealed = facts.pop("sha256", None)
        tensors = load(content)
    except (OSError, ValueError, AttributeError, RecursionError, SafetensorError) as error:
        raise UserError(f"{facts_path}: the model cannot be read ({_first_line(error)}); make it again") from None
    if version != FORMAT_VERSION:
        raise UserError(f"{facts_path}: found format version {version}, allowed: {FORMAT_VERSION}; make it again")
    if sealed != _checksum(facts, content):
        raise UserError(f"{facts_path}: damaged, or changed since it was made, as its checksum says; make it again")
    try:
        _check_shapes(_Facts.model_validate(facts), tensors)
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(map(str, detail["loc"]))
        raise UserError(f"{facts_path}: {key}: {detail['msg']}; make it again") from None
    except ValueError as error:
        raise UserError(f"{tensors_path}: {error}; make it again") from None
    return SavedModel(facts, tensors)


def _check_shapes(facts: _Facts, tensors: Mapping[str, np.ndarray]) -> None:
    """Raise `ValueError` if a tensor is missing, has another shape than the facts say, or is not finite."""
    kept = tensors.get("kept_images", np.empty(0))
    if kept.ndim != 2 or len(kept) < 2:
        raise ValueError(f"kept_images: found the shape {kept.shape}, allowed: two images or more")
    reduction, settings = facts.reduction.model_dump(), facts.reduction.settings
    expected: dict[str, tuple[int, ...]] = {
        "centers": (len(facts.clusters), facts.reduction.n_components),
        "spread": (len(kept),),
        "held_out": (len(facts.held_out),),
        **(placing_by(settings).tensor_shapes(reduction, kept.shape[1], tensors) if settings is not None else {}),
    }
    codebook.restored(facts.backbone.layer, tensors)
    for part in facts.backbone.join:
        codebook.restored(part.layer, tensors, part.backbone)
    for name, shape in expected.items():
        if name not in tensors or tensors[name].shape != shape:
            shape_here = tensors[name].shape if name in tensors else "nothing"
            raise ValueError(f"{name}: found {shape_here}, allowed: the shape {shape}")
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{name}: found numbers that are infinite or NaN")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
