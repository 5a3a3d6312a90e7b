"""The reader of one cell's files: its manifest, points, runs and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from workflow_scripts.io import store
from workflow_scripts.io.best_k import BEST, best_k
from workflow_scripts.io.manifest import read_labels, read_manifest
from workflow_scripts.io.points import Points, read_points
from workflow_scripts.io.runs import Clustering, Runs, read_best, read_runs, stored_ks
from workflow_scripts.io.tables import best_of_repeats, read_parquet, read_scores
from workflow_scripts.io.which_k import choose_k

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OneCell:
    """A cell of the grid and its files.

    `choices` maps each axis to the cell's value. `files` maps names of artefacts to paths, for those that the job has
    as input.
    """

    choices: Mapping[str, Any]
    files: Mapping[str, str]

    @classmethod
    def each(cls, cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]) -> list[Self]:
        """Return one reader for each cell of a job; `inputs` that do not have one path for each cell are left out."""
        of_cells = {name: paths for name, paths in inputs.items() if len(paths) == len(cells)}
        return [cls(cell, {name: paths[place] for name, paths in of_cells.items()}) for place, cell in enumerate(cells)]

    @classmethod
    def first(cls, cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]) -> Self:
        """Return a reader for the first cell of a job; most jobs have only one."""
        return cls(cells[0], {name: paths[0] for name, paths in inputs.items() if paths})

    def __getitem__(self, axis: str) -> Any:
        """Return the cell's value on an axis."""
        return self.choices[axis]

    def manifest(self) -> "pd.DataFrame":
        """Read the manifest of the cell's images."""
        return read_manifest(self.files["manifest"])

    def points(self) -> Points:
        """Read the points that the cell clusters."""
        return read_points(self.files["points"], self["n_components"], self["whiten"])

    def labels(self) -> np.ndarray:
        """Read the labels that results are compared with, (N,) str.

        A label is "" if the image has none, or if the network was trained on it. Raises `UserError` if the points were
        made from another manifest.
        """
        with store.reading(self.files["points"]) as file:
            return read_labels(self.files["manifest"], store.text(file, "manifest"), store.trained_on(file))

    def scores(self) -> "pd.DataFrame":
        """Read the scores of the cell's clusterings of all images, without cross-validation."""
        return read_scores(self.files["scores"])

    def class_scores(self) -> "pd.DataFrame":
        """Read the scores of each class in the best clustering of each k."""
        return read_parquet(self.files["class_scores"])

    def validated(self) -> "pd.DataFrame":
        """Read the scores of the cell's cross-validation."""
        return read_parquet(self.files["validated"])

    def runs(self, manifest: str | None = None) -> dict[int | None, Runs]:
        """Read the runs of every k.

        Raises `UserError` if `manifest` (a digest) is given and the runs were made from another manifest.
        """
        with store.reading(self.files["clusters"], manifest) as file:
            return read_runs(file)

    def clusterer(self) -> dict[str, Any]:
        """Read the settings of the clusterer that made the runs."""
        with store.reading(self.files["clusters"]) as file:
            return store.attribute(file, "settings")["clusterer"]

    def wanted_k(self, figure: Mapping[str, Any]) -> int | None:
        """Return the k that a figure's settings ask for; for `best` it is computed from the scores by `best_k`."""
        return best_k(best_of_repeats(self.scores()), figure["by"]) if figure["k"] == BEST else figure["k"]

    def clustering(self, figure: Mapping[str, Any]) -> Clustering:
        """Read the best clustering of the k that a figure asks for, or of the smallest k if it asks for none."""
        wanted = self.wanted_k(figure)
        with store.reading(self.files["clusters"]) as file:
            return read_best(file, choose_k(wanted, stored_ks(file)))

    def clusterings(self, wanted: Sequence[int] | None) -> list[Clustering]:
        """Read the best clustering of each k in `wanted`, or of every stored k if it is None.

        A clusterer that finds k itself has one clustering, which is returned whatever is wanted.
        """
        with store.reading(self.files["clusters"]) as file:
            stored = stored_ks(file)
            ks = stored if None in stored or not wanted else [choose_k(k, stored) for k in sorted(wanted)]
            return [read_best(file, k) for k in ks]

    def coordinates(self, most: int | None = None) -> tuple[np.ndarray, ...]:
        """Read the coordinates of every image on the cell's map, (N,) float64 for each dimension.

        At most the first `most` dimensions are read. If `most` is None, all dimensions of a map are read (t-SNE or
        UMAP), and the first two components of another decomposition.
        """
        with store.reading(self.files["map"]) as file:
            return tuple(file["scores"][:, : most or store.attribute(file, "settings").get("dimensions", 2)].T)

    def map_method(self) -> str:
        """Return the name of the method that made the cell's map, such as `tsne`."""
        with store.reading(self.files["map"]) as file:
            return store.attribute(file, "settings")["method"]
