"""Collect what the explorer shows of a study: images, facts about them, clusterings and maps.

A cell is one combination of choices; a study is a list of cells that vary some choices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.neighbors import LocalOutlierFactor
from threadpoolctl import threadpool_limits

from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names, word
from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.pages.explorer.columns import Column, clustering, levels, most_frequent, numbers, of_table
from workflow_scripts.pages.explorer.opening import Opening
from workflow_scripts.pages.explorer.places import Place, first_components, map_of, narrow, points_of

OF_POINTS = tuple(axis for axis in AXES if axis != "clusterer")
"""The axes that decide the points that are clustered: all but the clusterer."""
OF_FEATURES = tuple(axis for axis in OF_POINTS if AXES[axis].stage in ("preprocessed", "features"))
"""The axes that decide the features that a map is computed from."""
POINTS_BYTES = 8_000_000
"""Size in bytes of the points on a page; once it is reached, the points of further cells are left out."""
NEIGHBOURS = 20
"""Number of nearest images with which the local outlier factor compares an image."""
SHOWN_COMPONENTS = 3
"""Largest number of coordinates of a map; the page shows two of them at a time."""
CONSENSUS = {"agreement": "agreement with the consensus", "margin": "margin to the second group"}
AUDIT = {"confidence": "confidence of the label", "neighbour_share": "neighbours with the same label"}
"""Columns of the tables of the consensus and of the audit, with their titles on the page."""


@dataclass(frozen=True)
class ShownStudy:
    """The cells of a study, and all images that at least one of them clusters, in the order of the data set."""

    cells: Sequence[OneCell]
    images: pd.DataFrame

    @classmethod
    def of(cls, cells: Sequence[OneCell]) -> "ShownStudy":
        """Read the manifests of all cells; the cells may cluster different subsets of the images."""
        manifests = {cell.files["manifest"]: cell for cell in cells}.values()
        every = pd.concat([cell.manifest() for cell in manifests]).drop_duplicates("image_id")
        return cls(cells, every.sort_values("row").reset_index(drop=True))

    @property
    def names(self) -> list[str]:
        """Return a name for each cell: its choices on the axes on which the cells differ."""
        return cell_names([cell.choices for cell in self.cells], [*AXES])

    def rows(self, image_ids: Sequence[str] | np.ndarray | pd.Series) -> np.ndarray:
        """Return for each image id its index among all images of the study, (n,) int; -1 if the study does not have
        it."""
        return pd.Index(self.images["image_id"]).get_indexer(pd.Index(image_ids))

    def clusterings(self, wanted: Sequence[int] | None) -> list[Column]:
        """Return a column for each cell and each k in `wanted`, with the best clustering; if `wanted` is None, for
        every stored k."""
        made = []
        for place, cell in enumerate(self.cells):
            manifest = cell.manifest()
            rows = self.rows(manifest["image_id"])
            made += [
                clustering(place, best.k, best.labels, manifest["label"], rows, len(self.images))
                for best in cell.clusterings(wanted)
            ]
        return made

    def facts(
        self, quality: pd.DataFrame, consensus: pd.DataFrame | None = None, audit: pd.DataFrame | None = None
    ) -> list[Column]:
        """Return the columns that describe the images.

        These are the label, the columns of the consensus and of the audit, those of the manifest, and the measures of
        quality.

        Parameters
        ----------
        quality : measures of the quality of the images, by `path`.
        consensus, audit : tables by `image_id`; None if the study has none.
        """
        made = []
        if self.images["label"].nunique():
            made.append(levels("label", self.images["label"]))
        if consensus is not None:
            of_images = self._by_id(consensus)
            groups = of_images["group"].map(lambda group: "" if pd.isna(group) else f"{int(group):02d}")
            made.append(levels("consensus group", groups))
            made += [numbers(title, of_images[name]) for name, title in CONSENSUS.items()]
        if audit is not None:
            of_images = self._by_id(audit)
            made += [numbers(title, of_images[name]) for name, title in AUDIT.items()]
        looks = quality.drop(columns=["width", "height"])
        return made + of_table(self.images.drop(columns="label").merge(looks, on="path", how="left"))

    def seen(self, names: np.ndarray) -> Column:
        """Return the names of ImageNet classes for the images of the study, as a column.

        `names` (M,) str has a name for each image of the data set. If there are more than `columns.MOST_LEVELS`
        different names, the rarest ones share one level.
        """
        return levels("ImageNet's name", most_frequent(pd.Series(names[self.images["row"].astype(int)])))

    def outlierness(self, cell: int) -> list[Column]:
        """Return a column with the local outlier factor (Breunig et al. 2000) of each image among the points of a cell.

        It is near 1 for an image among similar ones, larger for an image far from others, and NaN for an image that the
        cell does not cluster. If the cell has at most `NEIGHBOURS` images, no column is returned.
        """
        read = self.cells[cell].points()
        if len(read.values) <= NEIGHBOURS:
            return []
        values = np.full(len(self.images), np.nan, dtype=np.float32)
        with threadpool_limits(1):
            factor = LocalOutlierFactor(n_neighbors=NEIGHBOURS).fit(narrow(read.values)).negative_outlier_factor_
        values[self.rows(read.image_ids)] = -factor
        return [numbers(f"outlierness: {self.names[cell]}", values)]

    def _by_id(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.set_index("image_id").reindex(self.images["image_id"])

    def places(self, maps: Sequence[OneCell], opening: Opening) -> tuple[list[Place], list[Place]]:
        """Return the maps to show, and the points in which the page searches for nearest neighbours.

        The first maps are those that the settings name (`maps`). Then come the first components of the points of each
        cell, beginning with the cell with which the page opens. Cells with the same points give one map. The points of
        a cell are left out if those of the cells before it already take `POINTS_BYTES` bytes.
        """
        n = len(self.images)
        asked = [self._map(name, cell) for name, cell in zip(self._names_of(maps), maps, strict=True)]
        distinct = list({_points_key(cell): cell for cell in (self.cells[opening.cell], *self.cells)}.values())
        names = cell_names([cell.choices for cell in distinct], OF_POINTS)
        components: list[Place] = []
        points: list[Place] = []
        for name, cell in zip(names, distinct, strict=True):
            read = cell.points()
            rows = self.rows(read.image_ids)
            first = read.values if read.n_components else first_components(read.values, SHOWN_COMPONENTS)
            components.append(map_of(f"first components: {name}", _shown(first), rows, n))
            if sum(place.values.nbytes for place in points) < POINTS_BYTES:
                points.append(points_of(name, read.values, rows, n))
        return asked + components, points

    def _map(self, name: str, cell: OneCell) -> Place:
        with store.reading(cell.files["map"]) as file:
            rows = self.rows(store.image_ids(file))
        shown = rows >= 0
        coordinates = np.column_stack(cell.coordinates(SHOWN_COMPONENTS))
        return map_of(name, _shown(coordinates[shown]), rows[shown], len(self.images))

    def _names_of(self, maps: Sequence[OneCell]) -> list[str]:
        """Return the names of the maps. A name has the decomposition, and the choices that are not the same in all
        cells and maps."""
        cells = [cell.choices for cell in (*self.cells, *maps)]
        names = cell_names(cells, [axis for axis in OF_FEATURES if len({cell[axis] for cell in cells}) > 1])
        return [
            f"{word('decomposition', cell['decomposition'])}: {name}".removesuffix(": ")
            for cell, name in zip(maps, names[len(self.cells) :], strict=True)
        ]


def _points_key(cell: OneCell) -> tuple[str, object, object]:
    """Return three values that are equal for cells with the same points: file, number of components, and whitening."""
    return cell.files["points"], cell["n_components"], cell["whiten"]


def _shown(coordinates: np.ndarray) -> np.ndarray:
    """Return the first coordinates of points (M, d) for a map, (M, 2) or (M, 3).

    If d is 1, the second coordinate is 0.
    """
    first = coordinates[:, :SHOWN_COMPONENTS]
    return np.pad(first, ((0, 0), (0, max(0, 2 - first.shape[1]))))
