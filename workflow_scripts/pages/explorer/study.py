"""What of a study the explorer shows: its images with all that is known of them, its clusterings, its maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names, word
from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.pages.explorer.columns import Column, clustering, levels, numbers, of_table
from workflow_scripts.pages.explorer.places import Place, first_components, map_of, points_of

OF_POINTS = tuple(axis for axis in AXES if axis != "clusterer")
"""The axes that what is clustered depends on."""
OF_FEATURES = tuple(axis for axis in OF_POINTS if AXES[axis].stage in ("preprocessed", "features"))
"""Those that a map is made of."""
POINTS_BYTES = 8_000_000
"""Of points on a page: of more cells than this holds only the first have neighbours."""
CONSENSUS = {"agreement": "agreement with the consensus", "margin": "margin to the second group"}
AUDIT = {"confidence": "confidence of the label", "neighbour_share": "neighbours with the same label"}
"""Columns of these tables, and what the page calls them."""


@dataclass(frozen=True)
class Study:
    """The cells of a study, and every image that one of them clusters, in the order of the whole data set."""

    cells: Sequence[OneCell]
    images: pd.DataFrame

    @classmethod
    def of(cls, cells: Sequence[OneCell]) -> "Study":
        """Read the images of all cells, which may be of several subsets."""
        manifests = {cell.files["manifest"]: cell for cell in cells}.values()
        every = pd.concat([cell.manifest() for cell in manifests]).drop_duplicates("image_id")
        return cls(cells, every.sort_values("row").reset_index(drop=True))

    @property
    def names(self) -> list[str]:
        """What the cells are called: by the choices in which they differ."""
        return cell_names([cell.choices for cell in self.cells], [*AXES])

    def rows(self, image_ids: Sequence[str] | np.ndarray | pd.Series) -> np.ndarray:
        """Return the places of some images among all."""
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
        """Return what is known of the images beside their clusters: labels, then what the study says of each, then the
        manifest and the measured looks (`quality`, by `path`)."""
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

    def _by_id(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.set_index("image_id").reindex(self.images["image_id"])

    def places(self, maps: Sequence[OneCell]) -> tuple[list[Place], list[Place]]:
        """Return the maps (those that were asked for, then the first two components of what each cell clusters), and
        the points that neighbours are found by."""
        n = len(self.images)
        asked = [self._map(name, cell) for name, cell in zip(self._names_of(maps), maps, strict=True)]
        distinct = list(
            {
                cell.files["points"] + str(cell["n_components"]) + str(cell["whiten"]): cell for cell in self.cells
            }.values()
        )
        names = cell_names([cell.choices for cell in distinct], OF_POINTS)
        components: list[Place] = []
        points: list[Place] = []
        for name, cell in zip(names, distinct, strict=True):
            read = cell.points()
            rows = self.rows(read.image_ids)
            two = read.values[:, :2] if read.n_components else first_components(read.values, 2)
            components.append(
                map_of(f"first two components: {name}", np.pad(two, ((0, 0), (0, 2 - two.shape[1]))), rows, n)
            )
            if sum(place.values.nbytes for place in points) < POINTS_BYTES:
                points.append(points_of(name, read.values, rows, n))
        return asked + components, points

    def _map(self, name: str, cell: OneCell) -> Place:
        with store.reading(cell.files["map"]) as file:
            rows = self.rows(store.image_ids(file))
        shown = rows >= 0
        return map_of(name, np.column_stack(cell.coordinates())[shown], rows[shown], len(self.images))

    def _names_of(self, maps: Sequence[OneCell]) -> list[str]:
        """Return what the maps are called: by their decomposition, and the choices in which cells and maps differ."""
        cells = [cell.choices for cell in (*self.cells, *maps)]
        names = cell_names(cells, [axis for axis in OF_FEATURES if len({cell[axis] for cell in cells}) > 1])
        return [
            f"{word('decomposition', cell['decomposition'])}: {name}".removesuffix(": ")
            for cell, name in zip(maps, names[len(self.cells) :], strict=True)
        ]
