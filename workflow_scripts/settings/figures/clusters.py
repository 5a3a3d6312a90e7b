"""The settings of figures that show the clusters of one cell."""

from typing import Literal

from pydantic import Field

from workflow_scripts.settings.figures.base import COLUMN, Figure, OfOneK, Width


class Confusion(OfOneK):
    """The confusion matrix of the best repeat, in which each cluster is given the class of most of its images."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["confusion"] = "confusion"
    width: Width = COLUMN


class ClassByCluster(OfOneK):
    """The number of images of each class in each cluster."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["class_by_cluster"] = "class_by_cluster"
    width: Width = COLUMN


class ContactSheet(OfOneK):
    """Images of each cluster: those nearest the centre, at the border to other clusters, and farthest from the
    centre."""

    shows_images = True
    kind: Literal["contact_sheet"] = "contact_sheet"
    clusters: list[str] = []
    """Names of the clusters (such as `Sc`, `Sc-2`; numbers if there are no labels); an empty list takes those of
    `images`, or all."""
    per_place: int = Field(4, ge=1, le=8)
    """Number of images of a cluster for each of the three places."""
    images: list[str] = Field([], max_length=8)
    """Paths or ids, as in the manifest, of images that are shown beside the others of their clusters. A note in the
    figure names those that are not shown: noise, and images of other clusters than `clusters`."""


class ClusterPair(OfOneK):
    """Images of two clusters side by side: those nearest the centre, at the border, and farthest from the centre."""

    computes = True
    shows_images = True
    kind: Literal["cluster_pair"] = "cluster_pair"
    clusters: tuple[str, str] | None = None
    """Names of the two clusters; null takes the clusters of `images`, or the two whose centres are nearest each other.
    If all `images` are in one cluster, the second one is the cluster that is next nearest to an image."""
    per_place: int = Field(5, ge=1, le=8)
    """Number of images of a cluster for each of the three places."""
    images: list[str] = Field([], max_length=8)
    """Paths or ids, as in the manifest, of images that are shown below the others of their clusters. A note in the
    figure names those that are not shown: noise, and images of other clusters than the two."""


class NearTwins(OfOneK):
    """Pairs of an image and its nearest neighbour that are in different clusters; the closest pairs are drawn."""

    computes = True
    shows_images = True
    kind: Literal["near_twins"] = "near_twins"
    pairs: int = Field(12, ge=1, le=40)
    """Number of pairs that are drawn; the table has all."""
    images: list[str] = Field([], max_length=40)
    """Paths or ids, as in the manifest, of images that are shown, each with the nearest image of another cluster; an
    empty list takes the closest pairs."""


class ClassScores(OfOneK):
    """A table of precision, recall and F1 of each class: mean and spread over the repeats."""

    sources = ("class_scores", "scores")
    kind: Literal["class_scores"] = "class_scores"
    width: Width = COLUMN


class ClusterScores(OfOneK):
    """A table of the size, purity, cohesion, silhouette and density-based validity (DBCV) of each cluster."""

    computes = True
    copies_of_points = 6
    holds_pairs = True
    kind: Literal["cluster_scores"] = "cluster_scores"
    width: Width = COLUMN


class AreaFractions(OfOneK):
    """The share of the area that each cluster of tiles covers, with its confidence interval; needs `intake: {tiles:
    ...}`."""

    sources = ("manifest", "clusters", "scores")
    shows_tiles = True
    kind: Literal["area_fractions"] = "area_fractions"
    confidence: float = Field(0.95, gt=0, lt=1)


class Overlay(OfOneK):
    """The clusters of tiles, drawn over the images that the tiles were cut from; needs `intake: {tiles: ...}`."""

    sources = ("manifest", "clusters", "scores")
    shows_images = True
    shows_tiles = True
    kind: Literal["overlay"] = "overlay"
    images: list[str] = []
    """Paths of files, as in the manifest's column `parent`; an empty list takes `n_images` files, evenly spaced in the
    manifest."""
    n_images: int = Field(4, ge=1, le=12)


class SilhouetteProfile(OfOneK):
    """The silhouette of every image, sorted within its cluster."""

    computes = True
    holds_pairs = True
    kind: Literal["silhouette_profile"] = "silhouette_profile"
    width: Width = COLUMN


class DecisionGraph(OfOneK):
    """The density at each image, and its distance to the nearest image of higher density. From these two numbers
    Density Peaks chooses the centres of clusters."""

    sources = ("clusters", "scores")
    kind: Literal["decision_graph"] = "decision_graph"


class Tree(Figure):
    """The tree of nested clusters, with the image nearest the centre of each cluster; for linkage and Density Peaks."""

    sources = ("manifest", "points", "clusters")
    of_cells = "one"
    shows_images = True
    kind: Literal["tree"] = "tree"
    leaves: int = Field(12, ge=2, le=40)
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of images that are shown at their clusters. If several are in one cluster, only
    the first is shown. The figure names those that it does not show."""
