"""The settings of figures that ask whether the clusters have another cause than what the images show."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from workflow_scripts.settings.base import Seed, UserPath
from workflow_scripts.settings.costs import FACTS
from workflow_scripts.settings.figures.base import Figure


class Nuisances(Figure):
    """The association of the consensus groups with brightness, sharpness, size, format, folders and other facts about
    the images."""

    sources = ("manifest", "preprocessed", "consensus", "facts")
    computes = True
    in_prose = (
        "the association of clusters with brightness, sharpness and other facts of the files by permutation tests,"
        " adjusted by the methods of Holm [@holm1979] and of Benjamini and Hochberg [@benjamini1995]"
    )
    kind: Literal["nuisances"] = "nuisances"
    facts: UserPath | None = None
    """A CSV with a column `path` or `image_id`, and a column for each further fact, such as instrument or operator."""
    n_permutations: int = Field(999, ge=99)
    seed: Seed = 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the manifest and of the table of facts about the images (brightness, file format and so
        on)."""
        return FACTS * n


class Perturbations(Figure):
    """The share of images that change their group when they are rotated, flipped, brightened, blurred, compressed or
    cropped. The preprocessing, network and reduction of one cell are applied to the perturbed images, which get the
    group of the nearest centre."""

    sources = ("perturbed",)
    of_cells = "one"
    in_prose = (
        "the share of images that change their cluster when they are perturbed, with Wilson intervals [@wilson1927]"
    )
    kind: Literal["perturbations"] = "perturbations"
    n_images: int = Field(200, ge=2)
    """Number of images that are perturbed, divided between the labels in proportion. Each is perturbed in 19 ways."""
    seed: Seed = 0
    """Seed of the random choice of the images."""
    cell: Literal["baseline", "trusted"] = "baseline"
    """The cell whose groups are compared. `baseline`: the baseline with the choices `at`. `trusted`: the cell that
    agrees most with the others, among the study's cells that have the choices `at` and can assign new images to their
    groups."""

    @property
    def n_perturbed(self) -> int:
        return self.n_images

    @property
    def of_trusted_cell(self) -> bool:
        return self.cell == "trusted"
