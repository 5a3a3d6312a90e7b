"""Pages that a study may have beside its figures: the verdict, the label audit, and the gallery of what is in each
cluster."""

from typing import Any, ClassVar, Literal

from pydantic import Field, create_model, model_validator

from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.clusterers import Number
from workflow_scripts.settings.costs import DISTANCES_AT_ONCE, FLOAT, PAIRS_COPIES
from workflow_scripts.settings.figures import check_axes


class Page(Model):
    """What all pages have: the cells that they show, as figures have them, and the images.

    A page's key in a study is the name of the class in lower case, which is also that of the job's module.
    """

    registry: ClassVar[dict[str, type["Page"]]] = {}
    of_cells: ClassVar[Literal["one", "all"]]
    of_method: ClassVar[str | None] = None
    shows_consensus: ClassVar[bool] = True
    at: dict[str, Any] = {}
    """Choices: of one cell the baseline with these, of many the study's cells that have these."""
    pictures: Name | None = None
    """The preprocessing variant whose images the page shows; null is that of the first cell."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.registry[cls.__name__.lower()] = cls

    @model_validator(mode="after")
    def _axes(self) -> "Page":
        check_axes("at", self.at)
        return self

    def consensus_settings(self) -> dict[str, Any]:
        """Return the k of the cells and the groups of their consensus; null leaves them to the cells."""
        return {"k": None, "groups": None}

    def page_settings(self) -> dict[str, Any]:
        """Return the settings that are not already in the cells and in the file of the images."""
        return self.dump(exclude={"at", "pictures"})

    def memory(self, n: int, d: int) -> int:
        """Return the bytes that the page's job holds at once beside its libraries: n images as points of d numbers, and
        distances in blocks."""
        return 4 * FLOAT * n * d + int(min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE))


class Audit(Page):
    """The images ranked by how little their neighbours and their cluster speak for their label, and a page to decide
    on the first of them."""

    of_cells = "one"
    k: int | None = Field(None, ge=1)
    """Number of clusters; null is the smallest of the cell's clusterer."""
    neighbours: int = Field(10, ge=1)
    """Nearest images that are heard."""
    shown: int = Field(200, ge=1)
    """Images on the page; the table has all."""


class Gallery(Page):
    """Every cluster of the study's cells in pictures, near the centre, at the border, far out; parted near-twins."""

    of_cells = "all"
    k: list[Number] | None = Field(None, min_length=1)
    """Numbers of clusters; null takes all that were clustered."""
    per_place: int = Field(12, ge=1)
    """Pictures of a cluster for each place."""
    twins: int = Field(20, ge=0)
    """Near-twins in different clusters, the closest ones."""


class Verdict(Page):
    """What the study says, in sentences with their numbers: the consensus of its cells, which of them to trust, which
    images and which choices the answer hangs on, and what to do next. Adds the figures that it is read from."""

    of_cells = "all"
    shows_consensus = False
    k: int | None = Field(None, ge=1)
    """Number of clusters; null is the smallest of each cell's clusterer."""
    groups: int | None = Field(None, ge=2)
    """Groups of the consensus; null takes k if all cells have the same, and else the number that survives longest."""
    shown: int = Field(40, ge=1, le=400)
    """Fragile images on the page; the table has all."""
    per_group: int = Field(8, ge=1, le=60)
    """Images of each group on the page, those that the cells agree on most."""

    def page_settings(self) -> dict[str, Any]:
        """Return what decides the page beside the tables that it is read from."""
        return self.dump(include={"shown", "per_group"})

    def consensus_settings(self) -> dict[str, Any]:
        """Return what decides the consensus."""
        return self.dump(include={"k", "groups"})


_optional: dict[str, Any] = {kind: (page | None, None) for kind, page in Page.registry.items()}
_Fields: Any = create_model("_Fields", __base__=Model, **_optional)


class WithPages(_Fields):
    """A field for each kind of page."""

    @property
    def pages(self) -> dict[str, Page]:
        """Return the pages that there are, by kind."""
        return {kind: page for kind in Page.registry if (page := getattr(self, kind))}
