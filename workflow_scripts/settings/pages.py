"""The settings of the pages that a study may have: the verdict, the label audit, the labelling, the gallery and
the explorer."""

from typing import Any, ClassVar, Literal

from pydantic import Field, create_model, model_validator

from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.clusterers.base import Count
from workflow_scripts.settings.costs import DISTANCES_AT_ONCE, FLOAT, PAIRS_COPIES
from workflow_scripts.settings.figures import check_axes

LARGE_THUMBNAIL = 30_000
"""Largest size of a thumbnail on a page, bytes; pages with many thumbnails have smaller ones."""
LARGEST_PAGE = 80_000_000
"""Largest size of a page, bytes."""
PAGE_COPIES = 5
"""Number of copies of a page that memory holds while it is written: thumbnails, their text, JSON, the page, its
bytes."""


class Page(Model):
    """Base class of the settings of a page: which cells and which images it shows.

    The name of the class in lower case is the page's key in a study, and the name of the job's module.
    """

    registry: ClassVar[dict[str, type["Page"]]] = {}
    of_cells: ClassVar[Literal["one", "all"]]
    of_method: ClassVar[str | None] = None
    in_prose: ClassVar[str] = ""
    """The page's analysis as a noun phrase for the methods paragraph; empty if the paragraph does not mention it."""
    shows_consensus: ClassVar[bool] = True
    at: dict[str, Any] = {}
    """Choices of the cells that are shown. A page of one cell shows the baseline with these choices; a page of many
    cells shows the cells of the study that have them."""
    images: Name | None = None
    """The preprocessing variant whose images the page shows; null takes the variant of the first cell."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.registry[cls.__name__.lower()] = cls

    @model_validator(mode="after")
    def _axes(self) -> "Page":
        check_axes("at", self.at)
        return self

    @property
    def maps_shown(self) -> list[dict[str, Any]]:
        """Return the maps that the page shows. A map is given by the choices of its cell that differ from the
        baseline."""
        return []

    def page_settings(self) -> dict[str, Any]:
        """Return the settings that decide the page, without those that choose its inputs."""
        return self.dump(exclude={"at", "images"})

    def memory(self, n: int, d: int) -> int:
        """Return the bytes of memory that the page's job needs: for n points in d dimensions, with copies, and for
        blocks of the distances between them."""
        return 4 * FLOAT * n * d + int(min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE))


class Audit(Page):
    """A page to correct doubtful labels. Images come first if their neighbours and their cluster agree little with
    their label."""

    of_cells = "one"
    k: int | None = Field(None, ge=1)
    """Number of clusters; null takes the smallest of the cell's clusterer."""
    neighbours: int = Field(10, ge=1)
    """Number of nearest images whose labels are compared with an image's label."""
    shown: int = Field(200, ge=1)
    """Number of images on the page; the table has all."""


class Labelling(Page):
    """A page on which people label images. The images whose label helps most come first, such as the typical images of
    every cluster."""

    of_cells = "one"
    k: int | None = Field(None, ge=1)
    """Number of clusters; null takes the smallest of the cell's clusterer."""
    shown: int = Field(200, ge=1)
    """Largest number of images on the page and in the table."""


class Gallery(Page):
    """A page with images of every cluster of the study's cells (nearest the centre, at the border, farthest), and with
    similar images in different clusters."""

    of_cells = "all"
    k: list[Count] | None = Field(None, min_length=1)
    """Numbers of clusters; null takes all that the clusterer has."""
    per_place: int = Field(12, ge=1)
    """Number of images of a cluster for each of the three places."""
    twins: int = Field(20, ge=0)
    """Number of pairs of similar images in different clusters; the closest pairs are shown."""


class Explorer(Page):
    """A page with a map of all images, coloured by the clusters of any cell, by label or by facts about the images.
    Images can be selected and labelled, and the next run can read these selections and labels."""

    of_cells = "all"
    k: list[Count] | None = Field(None, min_length=1)
    """Numbers of clusters; null takes all that the clusterer has."""
    maps: list[dict[str, Any]] = []
    """Further maps besides the first two components of each cell's points. Each map is given by the choices of its cell
    that differ from the baseline, such as `{decomposition: tsne}`."""

    @model_validator(mode="after")
    def _maps_have_axes(self) -> "Explorer":
        for number, choices in enumerate(self.maps):
            check_axes(f"maps.{number}", choices)
        return self

    @property
    def maps_shown(self) -> list[dict[str, Any]]:
        return self.maps

    def page_settings(self) -> dict[str, Any]:
        """Return the setting `k`; the other settings choose the page's inputs."""
        return self.dump(include={"k"})

    def memory(self, n: int, d: int) -> int:
        """Return the bytes of memory that the page's job needs: the points, and copies of the page with its
        thumbnails."""
        return 4 * FLOAT * n * d + PAGE_COPIES * min(n * LARGE_THUMBNAIL, LARGEST_PAGE)


class Verdict(Page):
    """A page that answers in sentences: the groups on which the study's cells agree, the cell to trust, the images and
    choices that change the answer, and what to do next. The study also gets the figures whose tables the page reads."""

    in_prose = "the consensus of the cells by co-association [@fred2005]"
    of_cells = "all"
    shows_consensus = False
    k: int | None = Field(None, ge=1)
    """Number of clusters; null takes the smallest of each cell's clusterer."""
    groups: int | None = Field(None, ge=2)
    """Number of groups of the consensus; null takes k if all cells have the same k, and otherwise the number of groups
    that persists over the longest range of the consensus tree."""
    shown: int = Field(40, ge=1, le=400)
    """Number of images on the page whose group is uncertain; the table has all."""
    per_group: int = Field(8, ge=1, le=60)
    """Number of images of each group on the page; those on which the cells agree most are shown."""

    def page_settings(self) -> dict[str, Any]:
        """Return the settings that decide only the page; the other settings decide the tables that it reads."""
        return self.dump(include={"shown", "per_group"})


_optional: dict[str, Any] = {kind: (page | None, None) for kind, page in Page.registry.items()}
_Fields: Any = create_model("_Fields", __base__=Model, **_optional)


class WithPages(_Fields):
    """Base class of models with a field for each kind of page."""

    @property
    def pages(self) -> dict[str, Page]:
        """Return the pages that are set, by kind."""
        return {kind: page for kind in Page.registry if (page := getattr(self, kind))}
