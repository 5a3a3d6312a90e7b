"""Collect what the explorer shows of a study: the images and the facts about them, the clusterings, and the maps."""

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
"""Size in bytes of all points on a page at which further cells get no search for nearest neighbours."""
NEIGHBOURS = 20
"""Number of nearest images that an image is compared with for its outlierness."""
SHOWN_COMPONENTS = 3
"""Number of coordinates of a map; two are seen at a time."""
CONSENSUS = {"agreement": "agreement with the consensus", "margin": "margin to the second group"}
AUDIT = {"confidence": "confidence of the label", "neighbour_share": "neighbours with the same label"}
"""Columns of the tables of the consensus and the audit, and their titles on the page."""


@dataclass(frozen=True)
class ShownStudy:
    """The cells of a study, and all images that at least one cell clusters, in the order of the data set."""

    cells: Sequence[OneCell]
    images: pd.DataFrame

    @classmethod
    def of(cls, cells: Sequence[OneCell]) -> "ShownStudy":
        """Read the images of all cells; the cells may cluster different subsets."""
        manifests = {cell.files["manifest"]: cell for cell in cells}.values()
        every = pd.concat([cell.manifest() for cell in manifests]).drop_duplicates("image_id")
        return cls(cells, every.sort_values("row").reset_index(drop=True))

    @property
    def names(self) -> list[str]:
        """Return the names of the cells: the choices in which they differ."""
        return cell_names([cell.choices for cell in self.cells], [*AXES])

    def rows(self, image_ids: Sequence[str] | np.ndarray | pd.Series) -> np.ndarray:
        """Return the indices (n,) of some images among all images of the study; -1 for an image that is missing."""
        return pd.Index(self.images["image_id"]).get_indexer(pd.Index(image_ids))

    def clusterings(self, wanted: Sequence[int] | None) -> list[Column]:
        """Return the best clustering of each cell and k."""
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
        """Return the columns of facts about the images: labels, consensus, audit, manifest, and measured quality.

        `consensus` and `audit` are tables by `image_id`, `quality` by `path`.
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
        """Return the names of ImageNet's classes, given for all images of the data set (M,) str, as a column.

        Of more than `columns.MOST_LEVELS` names the rare ones share one level.
        """
        return levels("ImageNet's name", most_frequent(pd.Series(names[self.images["row"].astype(int)])))

    def outlierness(self, cell: int) -> list[Column]:
        """Return the local outlier factor (Breunig et al. 2000) of each image among the points of a cell as a column.

        It is near 1 for an image among similar ones and larger for an image apart. Few images get no column.
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

        The maps are those of the settings, `maps`, and then the first components of the points of each cell, beginning
        with the cell with which the page opens.
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
        """Return the names of the maps: the decomposition, and the choices in which cells and maps differ."""
        cells = [cell.choices for cell in (*self.cells, *maps)]
        names = cell_names(cells, [axis for axis in OF_FEATURES if len({cell[axis] for cell in cells}) > 1])
        return [
            f"{word('decomposition', cell['decomposition'])}: {name}".removesuffix(": ")
            for cell, name in zip(maps, names[len(self.cells) :], strict=True)
        ]


def _points_key(cell: OneCell) -> tuple[str, object, object]:
    """Return what decides the points of a cell: the file, and what is read of it."""
    return cell.files["points"], cell["n_components"], cell["whiten"]


def _shown(coordinates: np.ndarray) -> np.ndarray:
    """Return the first coordinates (M, 2) or (M, 3) of points (M, d), with zeros for a missing second one."""
    first = coordinates[:, :SHOWN_COMPONENTS]
    return np.pad(first, ((0, 0), (0, max(0, 2 - first.shape[1]))))
