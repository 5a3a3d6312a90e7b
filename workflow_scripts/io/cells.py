"""Read the files of one cell: its manifest, points, runs and scores.

A cell is one combination of choices, that is one value for each axis of the grid (backbone, layer, clusterer and so
on). The points are what is clustered, and a run is one stored clustering.
"""

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
    """A cell of the grid, that is one combination of choices, and its files.

    `choices` maps each axis, such as `backbone`, to the value that the cell has. `files` maps the names of the files
    that the job has as inputs, such as `points`, to their paths.
    """

    choices: Mapping[str, Any]
    files: Mapping[str, str]

    @classmethod
    def each(cls, cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]) -> list[Self]:
        """Return a list with one reader for each of the `cells` of a job.

        `inputs` maps each input of the job, such as `points`, to its paths. An input that does not have exactly one
        path for each cell is left out.
        """
        of_cells = {name: paths for name, paths in inputs.items() if len(paths) == len(cells)}
        return [cls(cell, {name: paths[place] for name, paths in of_cells.items()}) for place, cell in enumerate(cells)]

    @classmethod
    def first(cls, cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]) -> Self:
        """Return a reader for the first cell of a job, with the first path of each input. Most jobs have one cell."""
        return cls(cells[0], {name: paths[0] for name, paths in inputs.items() if paths})

    def __getitem__(self, axis: str) -> Any:
        """Return the value that the cell has on an axis, such as `vgg16` on the axis `backbone`."""
        return self.choices[axis]

    def manifest(self) -> "pd.DataFrame":
        """Read the manifest of the cell: a table with one row for each image (see `manifest.read_manifest`)."""
        return read_manifest(self.files["manifest"])

    def points(self) -> Points:
        """Read the points that are clustered in this cell, one for each image (see `points.Points`)."""
        return read_points(self.files["points"], self["n_components"], self["whiten"])

    def labels(self) -> np.ndarray:
        """Read the labels that results are compared with, (N,) str.

        A label is "" if the image has none, or if the network was trained on the image and its label. Raises
        `UserError` if the points were made from another manifest.
        """
        with store.reading(self.files["points"]) as file:
            return read_labels(self.files["manifest"], store.text(file, "manifest"), store.trained_on(file))

    def scores(self) -> "pd.DataFrame":
        """Read the scores of the cell's clusterings, without the scores of cross-validation."""
        return read_scores(self.files["scores"])

    def class_scores(self) -> "pd.DataFrame":
        """Read the table of the scores of each class, for the best clustering of each k and repeat."""
        return read_parquet(self.files["class_scores"])

    def validated(self) -> "pd.DataFrame":
        """Read the table of the scores of the cell's cross-validation."""
        return read_parquet(self.files["validated"])

    def runs(self, manifest: str | None = None) -> dict[int | None, Runs]:
        """Read the runs (stored clusterings) of each k. The key is k, or None if the clusterer finds k itself.

        Raises `UserError` if `manifest` (a digest) is given and the runs were made from another manifest.
        """
        with store.reading(self.files["clusters"], manifest) as file:
            return read_runs(file)

    def clusterer(self) -> dict[str, Any]:
        """Read the settings of the clusterer that made the runs."""
        with store.reading(self.files["clusters"]) as file:
            return store.attribute(file, "settings")["clusterer"]

    def wanted_k(self, figure: Mapping[str, Any]) -> int | None:
        """Return the k that a figure's settings ask for, or None if they ask for none.

        If the setting `k` is `best`, it is the k with the best scores (see `best_k`).
        """
        return best_k(best_of_repeats(self.scores()), figure["by"]) if figure["k"] == BEST else figure["k"]

    def clustering(self, figure: Mapping[str, Any]) -> Clustering:
        """Read the clustering of the k that a figure's settings ask for; of several, the one with the lowest inertia.

        If the settings ask for no k, the smallest one is taken. Raises `UserError` if the wanted k was not clustered.
        """
        wanted = self.wanted_k(figure)
        with store.reading(self.files["clusters"]) as file:
            return read_best(file, choose_k(wanted, stored_ks(file)))

    def clusterings(self, wanted: Sequence[int] | None) -> list[Clustering]:
        """Read the clustering with the lowest inertia for each k in `wanted`, or for every stored k if that is None.

        A clusterer that finds k itself has one clustering, which is returned for any `wanted`. Raises `UserError` if a
        wanted k was not clustered.
        """
        with store.reading(self.files["clusters"]) as file:
            stored = stored_ks(file)
            ks = stored if None in stored or not wanted else [choose_k(k, stored) for k in sorted(wanted)]
            return [read_best(file, k) for k in ks]

    def coordinates(self, most: int | None = None) -> tuple[np.ndarray, ...]:
        """Return the coordinates of all images on the cell's map, one array (N,) for each dimension.

        `most` is the largest number of dimensions. If it is None, a map (t-SNE, UMAP or Isomap) gives all its
        dimensions, and any other decomposition gives its first two components.
        """
        with store.reading(self.files["map"]) as file:
            return tuple(file["scores"][:, : most or store.attribute(file, "settings").get("dimensions", 2)].T)

    def map_method(self) -> str:
        """Return the name of the method that made the cell's map, such as `tsne`."""
        with store.reading(self.files["map"]) as file:
            return store.attribute(file, "settings")["method"]
