"""The settings of all kinds of figures, and of their common style."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.grid.axes import AXES, NUMBERS, SWITCHES, axes_of
from workflow_scripts.settings.base import Model, Seed
from workflow_scripts.settings.clusterers import Ks
from workflow_scripts.settings.costs import (
    DISTANCES_AT_ONCE,
    FACTS,
    FLOAT,
    PAIRS_COPIES,
    PAIRS_OF_CELLS_COPIES,
    partitions_bytes,
)
from workflow_scripts.settings.methods import Method

METRICS = (
    "accuracy_majority",
    "accuracy_matched",
    "ari",
    "ami",
    "nmi_arithmetic",
    "nmi_geometric",
    "purity",
    "homogeneity",
    "completeness",
    "silhouette",
    "inertia",
    "calinski_harabasz",
    "davies_bouldin",
    "dbcv",
    "bic",
    "aic",
)
SHOWN = {axis.column or name: axis.kind for name, axis in AXES.items()}
"""The kind of the values of each axis that a figure can be drawn along, by the axis's column in the tables."""
X = (*(name for name, kind in SHOWN.items() if kind != SWITCHES), "k")
HUES = tuple(name for name, kind in SHOWN.items() if kind != NUMBERS)
Metric = Literal[METRICS]  # type: ignore[valid-type]
Factor = Literal[(*AXES, "k")]  # type: ignore[valid-type]
Along = Literal[X]  # type: ignore[valid-type]
Hue = Literal[HUES]  # type: ignore[valid-type]
DRAWING = {"title", "width", "height"}


def _number_or_best(given: Any) -> Any:
    if given not in (None, "best") and not str(given).isdecimal():
        raise ValueError(f"found {given!r}, allowed: a whole number, best")
    return given


K = Annotated[int | Literal["best"] | None, BeforeValidator(_number_or_best)]
"""The number of clusters of a figure: None takes the smallest of its clusterer, `best` the one with the best mean of
the metric `by` over the repeats."""


def check_axes(key: str, axes: Iterable[str]) -> None:
    """Raise `ValueError`, with the configuration's `key`, if a name is not that of an axis."""
    for axis in axes:
        if axis not in AXES:
            raise ValueError(f"{key}: unknown axis: {found_allowed(axis, AXES)}")


class Drawing(Model):
    """Base class of the settings of figures. Title, width and height apply when the figure is drawn, all other settings
    when its table is made."""

    sources: ClassVar[tuple[str, ...]] = ("scores",)
    """The names of the artefacts that the figure's table is computed from."""
    title: str | None = None
    width: float = Field(170, gt=20, le=500)
    """Width in millimetres; one column of a journal is 85, two are 170."""
    height: float | None = Field(None, gt=20, le=500)
    """Height in millimetres; null lets the kind of figure choose."""
    at: dict[str, Any] = {}
    """Choices of the cells that are shown. A figure of one cell shows the baseline with these choices; a figure of many
    cells shows the cells of the study that have them."""

    @model_validator(mode="after")
    def _axes(self) -> Self:
        check_axes("at", self.at)
        return self

    def table_settings(self) -> dict[str, Any]:
        """Return the settings that decide the figure's table."""
        return self.dump(exclude=DRAWING)

    def draw_settings(self) -> dict[str, Any]:
        """Return the settings that decide how the table is drawn."""
        return self.dump(include=DRAWING | {"kind"})


class Figure(Drawing, Method):
    """Base class of the settings of a study's figures; the code is the module of the same name in `figures/`."""

    tag = "kind"
    registry: ClassVar[dict[str, type["Figure"]]] = {}
    of_cells: ClassVar[Literal["one", "all"] | tuple[str, ...]] = "all"
    """The cells that the figure shows: `one` is the baseline with the choices `at`; `all` are the study's cells that
    have the choices `at`; names of axes are the first of these cells for each combination of values on these axes."""
    of_method: ClassVar[str | None] = None
    """The method of the decompositions whose cells are shown; None shows cells with any decomposition."""
    shows_consensus: ClassVar[bool] = True
    """Whether cells whose clusters are the consensus of other cells may be shown."""
    of_one_subset: ClassVar[bool] = False
    """Whether all cells have to be of the same images."""
    computes: ClassVar[bool] = False
    """Whether the table takes long to compute, so that its job runs on a node of a cluster."""
    shows_images: ClassVar[bool] = False
    copies_of_points: ClassVar[int] = 4
    """How many copies of the points, in double precision, the job of the table holds."""
    copies_of_features: ClassVar[int] = 0
    """How many copies of the features, in double precision, the job of the table holds."""
    holds_pairs: ClassVar[bool] = False
    """Whether the job of the table holds the distances of all pairs (in blocks if there are many)."""
    compares: ClassVar[bool] = False
    """Whether the figure needs more than one cell or one k."""
    shows_scales: ClassVar[bool] = False
    """Whether the figure needs the scales of the images, which are read only with `intake: {scale_bars: true}`."""

    shows_tiles: ClassVar[bool] = False
    """Whether the figure needs tiles, which only `intake: {tiles: ...}` makes."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of the artefacts that the figure's table is computed from."""
        return self.sources

    @property
    def runs_clusterers(self) -> bool:
        """Return whether the job of the table runs the clusterers of the cells itself, and so needs their settings."""
        return False

    @property
    def n_perturbed(self) -> int:
        """Return the number of images that are perturbed and assigned to groups again; 0 for other figures."""
        return 0

    @property
    def of_trusted_cell(self) -> bool:
        """Return whether the figure shows the most trusted of several cells, which is known only in the run."""
        return False

    @property
    def drawn_along(self) -> str | None:
        """Return the axis, or `k`, that the figure draws its values against, or None."""
        return None

    @property
    def decomposition_shown(self) -> str | None:
        """Return the name of a decomposition that the figure shows besides those of the cells, or None."""
        return None

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes that the job of the table holds at once, without its libraries.

        There are n images with `width` features; the points that are clustered have d dimensions. `stored` holds, for
        each cell of the figure, the number of partitions stored for one k.
        """
        pairs = min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE) if self.holds_pairs else 0
        return FLOAT * n * (self.copies_of_points * d + self.copies_of_features * width) + int(pairs)


class _OfOneK(Figure):
    """Base class of the settings of figures of one cell with one k."""

    of_cells = "one"
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric that chooses k if `k` is `best`."""


class Samples(Figure):
    """Some images of each class after preprocessing."""

    sources = ("manifest",)
    of_cells = "one"
    shows_images = True
    kind: Literal["samples"] = "samples"
    per_class: int = Field(4, ge=1, le=20)
    images: list[str] = Field([], max_length=60)
    """Paths or ids, as in the manifest, of the images that are shown; an empty list takes some of each class."""


class Formats(Figure):
    """A table of the numbers of files of each format that were taken in or rejected."""

    sources = ("formats",)
    of_cells = "one"
    kind: Literal["formats"] = "formats"
    width: float = Field(85, gt=20, le=500)


class ScaleTable(Figure):
    """The number of images of each class for each length of the scale bar; needs `intake: {scale_bars: true}`."""

    sources = ("manifest",)
    of_cells = "one"
    shows_scales = True
    kind: Literal["scale_table"] = "scale_table"


class ClassDistribution(Figure):
    """The number of images of each class."""

    sources = ("manifest",)
    of_cells = "one"
    kind: Literal["class_distribution"] = "class_distribution"
    width: float = Field(85, gt=20, le=500)


class Preprocessing(Figure):
    """One image of each of `classes` classes and its histogram, after each preprocessing of the study."""

    sources = ("manifest", "preprocessed")
    of_cells = axes_of("preprocessed")
    shows_images = True
    kind: Literal["preprocessing"] = "preprocessing"
    classes: int = Field(2, ge=1, le=6)
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of the images that are shown; an empty list takes one of each class."""


class ExplainedVariance(Figure):
    """The cumulative explained variance of each PCA of the study."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "pca"
    kind: Literal["explained_variance"] = "explained_variance"
    width: float = Field(85, gt=20, le=500)


class IntrinsicDimension(Figure):
    """The intrinsic dimension of the features, estimated from the two nearest neighbours in samples of many sizes."""

    sources = ("features",)
    of_cells = axes_of("features")
    computes = True
    copies_of_points = 0
    copies_of_features = 4
    in_prose = "the intrinsic dimension of the features by TwoNN [@facco2017]"
    kind: Literal["intrinsic_dimension"] = "intrinsic_dimension"
    fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field([1.0, 0.9, 0.7, 0.5], min_length=1, max_length=6)
    """Shares of the images that the line is fitted to, those with the smallest ratio of neighbour distances."""
    smallest: int = Field(50, ge=20)
    """Smallest allowed number of images in a sample."""
    seed: Seed = 0


class ThickLine(Figure):
    """An example of why the dimension depends on the size of the sample: few and many points on a line with noise
    across it."""

    sources = ()
    of_cells = "one"
    computes = True
    kind: Literal["thick_line"] = "thick_line"
    n_points: tuple[Annotated[int, Field(ge=100)], Annotated[int, Field(ge=100)]] = (1000, 50_000)
    noise: float = Field(0.001, gt=0)
    """Standard deviation across the line, whose length is 100."""
    smallest: int = Field(50, ge=20)
    """Smallest allowed number of points in a sample."""
    seed: Seed = 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the points on the line, their neighbours and copies."""
        return 40 * FLOAT * max(self.n_points)


class Reconstruction(Figure):
    """The reconstruction error on held-out images of each autoencoder of the study, and of a PCA with as many
    components."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "autoencoder"
    kind: Literal["reconstruction"] = "reconstruction"


class Training(Figure):
    """The learning curves of each autoencoder of the study."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "autoencoder"
    kind: Literal["training"] = "training"


class Distances(Figure):
    """The distances in a sample of images, sorted and balanced by class, before and after reduction, and their
    correlation with a distance that is 0 within a class and 1 between classes."""

    sources = ("manifest", "features", "points")
    of_cells = axes_of("points")
    computes = True
    copies_of_points = 2
    copies_of_features = 2
    kind: Literal["distances"] = "distances"
    n_images: int = Field(240, ge=10, le=2000)
    """Number of images in the sample, divided equally between the classes; a smaller class gives all its images."""
    n_bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: Seed = 0


class Embedding(_OfOneK):
    """A two-dimensional map of the images, coloured by label and by cluster."""

    sources = ("manifest", "map", "points", "clusters", "scores")
    shows_images = True
    kind: Literal["embedding"] = "embedding"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""
    insets: list[str] = Field([], max_length=6)
    """Names of clusters (such as `Sc`, `Sc-2`) whose images nearest the centre are shown."""
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of further images that are shown."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Confusion(_OfOneK):
    """The confusion matrix of the best repeat, after each cluster was given the class of most of its images."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["confusion"] = "confusion"
    width: float = Field(85, gt=20, le=500)


class ClassByCluster(_OfOneK):
    """The number of images of each class in each cluster."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["class_by_cluster"] = "class_by_cluster"
    width: float = Field(85, gt=20, le=500)


class ContactSheet(_OfOneK):
    """Images of each cluster: nearest the centre, at the border to other clusters, farthest from the centre."""

    sources = ("manifest", "points", "clusters", "scores")
    shows_images = True
    kind: Literal["contact_sheet"] = "contact_sheet"
    clusters: list[str] = []
    """Names of the clusters (such as `Sc`, `Sc-2`; numbers if there are no labels); an empty list takes all."""
    per_place: int = Field(4, ge=1, le=8)
    """Number of images of a cluster for each of the three places."""


class ClusterPair(_OfOneK):
    """Images of two clusters side by side: nearest the centre, at the border, farthest from the centre."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    shows_images = True
    kind: Literal["cluster_pair"] = "cluster_pair"
    clusters: tuple[str, str] | None = None
    """Names of the two clusters; null takes the two whose centres are nearest each other."""
    per_place: int = Field(5, ge=1, le=8)
    """Number of images of a cluster for each of the three places."""


class NearTwins(_OfOneK):
    """The closest pairs of an image and its nearest neighbour that are in different clusters."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    shows_images = True
    kind: Literal["near_twins"] = "near_twins"
    pairs: int = Field(12, ge=1, le=40)
    """Number of pairs that are drawn; the table has all."""


class ClassScores(_OfOneK):
    """A table of precision, recall and F1 of each class: mean and spread over the repeats."""

    sources = ("class_scores", "scores")
    kind: Literal["class_scores"] = "class_scores"
    width: float = Field(85, gt=20, le=500)


class ClusterScores(_OfOneK):
    """A table of the size, purity, cohesion, silhouette and DBCV of each cluster."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    copies_of_points = 6
    holds_pairs = True
    kind: Literal["cluster_scores"] = "cluster_scores"
    width: float = Field(85, gt=20, le=500)


class AreaFractions(_OfOneK):
    """The share of the area of each cluster of tiles, with its interval; needs `intake: {tiles: ...}`."""

    sources = ("manifest", "clusters", "scores")
    shows_tiles = True
    kind: Literal["area_fractions"] = "area_fractions"
    confidence: float = Field(0.95, gt=0, lt=1)


class Overlay(_OfOneK):
    """The clusters of tiles, drawn over the images that the tiles were cut from; needs `intake: {tiles: ...}`."""

    sources = ("manifest", "clusters", "scores")
    shows_images = True
    shows_tiles = True
    kind: Literal["overlay"] = "overlay"
    images: list[str] = []
    """Paths of files, as in the manifest's column `parent`; an empty list takes `n_images` files at equal distances."""
    n_images: int = Field(4, ge=1, le=12)


class SilhouetteProfile(_OfOneK):
    """The silhouette of every image, sorted within its cluster."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    holds_pairs = True
    kind: Literal["silhouette_profile"] = "silhouette_profile"
    width: float = Field(85, gt=20, le=500)


class ClustererScores(Figure):
    """A table of the study's clusterers: number of clusters, share of noise and metrics."""

    sources = ("scores",)
    kind: Literal["clusterer_scores"] = "clusterer_scores"
    metrics: list[Metric] = Field(["nmi_geometric", "ari", "purity", "silhouette", "dbcv"], min_length=1, max_length=6)
    k: int | None = None
    """Number of clusters of the clusterers that need one; null takes the smallest of each clusterer."""


class KDistance(Figure):
    """The sorted k-distance curve of each reduction with its knee, which shows whether DBSCAN can find a radius."""

    sources = ("points",)
    of_cells = axes_of("points")
    computes = True
    in_prose = "the sorted k-distance curve [@ester1996]"
    kind: Literal["k_distance"] = "k_distance"
    min_samples: int = Field(10, ge=2)
    """`min_samples` of DBSCAN; the distance shown is that to neighbour number `min_samples` - 1."""


class NmiCurves(Figure):
    """The normalised mutual information (geometric) against k with three reference curves, a panel for each set of
    features."""

    sources = ("manifest", "points", "scores")
    computes = True
    copies_of_points = 0
    kind: Literal["nmi_curves"] = "nmi_curves"
    draws: int = Field(20, ge=2)
    """Number of random labellings for each k."""


class DecisionGraph(_OfOneK):
    """The density of each image and its distance to the nearest denser image, by which Density Peaks chooses
    centres."""

    sources = ("clusters", "scores")
    kind: Literal["decision_graph"] = "decision_graph"


class ToyPanel(Figure):
    """The study's clusterers on six sets of points in the plane, with their running times. The times differ from run to
    run."""

    sources = ()
    of_cells = ("clusterer",)
    shows_consensus = False
    computes = True
    kind: Literal["toy_panel"] = "toy_panel"
    n_points: int = Field(3000, ge=200)

    @property
    def runs_clusterers(self) -> bool:
        return True

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of five matrices of all pairs of points, which is the most that a clusterer holds."""
        return 5 * FLOAT * self.n_points**2


class Maps(Figure):
    """The maps of the study's cells side by side, coloured by label."""

    sources = ("manifest", "map")
    of_cells = axes_of("features")
    kind: Literal["maps"] = "maps"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Islands(Figure):
    """One image of each island of one class on the map, with the histogram of its intensities."""

    sources = ("manifest", "map", "preprocessed")
    of_cells = "one"
    shows_images = True
    kind: Literal["islands"] = "islands"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""
    label: str | None = None
    """The class; null takes the one with most islands."""
    n_islands: int = Field(4, ge=1, le=6)
    """Largest number of islands that are shown, the largest first."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Tree(Figure):
    """The tree of nested clusters (linkage, Density Peaks), with the image nearest the centre of each cluster."""

    sources = ("manifest", "points", "clusters")
    of_cells = "one"
    shows_images = True
    kind: Literal["tree"] = "tree"
    leaves: int = Field(12, ge=2, le=40)


class ChooseK(Figure):
    """Recommendations for the number of clusters: elbow, silhouette, gap statistic, BIC and stability of k-means over a
    range of k."""

    sources = ("manifest", "points")
    of_cells = "one"
    computes = True
    copies_of_points = 8
    holds_pairs = True
    in_prose = (
        "the number of clusters by the elbow, the silhouette [@rousseeuw1987], the gap statistic "
        "[@tibshirani2001], the Bayesian information criterion of Gaussian mixtures [@schwarz1978] and prediction "
        "strength [@tibshirani2005]"
    )
    kind: Literal["choose_k"] = "choose_k"
    ks: Annotated[Ks, Field(min_length=3)] = list(range(1, 13))
    """Numbers of clusters, a list or a range such as `1-12`, whatever the `k` of the cell's clusterer."""
    n_init: int = Field(20, ge=1)
    """Restarts of each k-means."""
    n_references: int = Field(20, ge=2)
    """Number of random sets of points without groups, which gap, elbow and silhouette are compared with."""
    n_resamples: int = Field(20, ge=2)
    """Number of subsets of 80 % of the images, and of splits of the images into halves, which show how certain a
    recommendation is."""
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag"
    """Covariance type of the Gaussian mixtures of the BIC."""
    seed: Seed = 0


class Folds(Figure):
    """A metric on the training folds and on the held-out fold, for each fold of each cell."""

    sources = ("validated",)
    kind: Literal["folds"] = "folds"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""


class Sensitivity(Figure):
    """Metrics against one choice, with a line for each value of another choice: mean and spread over the repeats."""

    kind: Literal["sensitivity"] = "sensitivity"
    x: Along
    hue: Hue | None = None
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    k: int | None = None
    """Number of clusters if x is not k; null takes the smallest of each cell's clusterer."""

    @property
    def drawn_along(self) -> str:
        return self.x


class Restarts(Figure):
    """A metric of every restart against its inertia relative to the lowest one, and the histogram of the metric."""

    kind: Literal["restarts"] = "restarts"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""


class BestOfN(Figure):
    """The expected metric of the restart with the lowest inertia of n, with a bootstrap interval over all restarts."""

    in_prose = "the expected best of n restarts with a bootstrap interval [@efron1979]"
    kind: Literal["best_of_n"] = "best_of_n"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""
    confidence: float = Field(0.95, gt=0, lt=1)


class Effects(Figure):
    """The share of a metric's variance that each choice, and each pair of choices, explains in a full product."""

    compares = True
    in_prose = "the effect of each choice on the scores by functional ANOVA [@hutter2014]"
    kind: Literal["effects"] = "effects"
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    pairs: int = Field(5, ge=0)
    """Number of interactions of two choices that are shown, the strongest first."""


class Heatmap(Figure):
    """A metric against two choices of a full product, averaged over all other choices."""

    compares = True
    kind: Literal["heatmap"] = "heatmap"
    width: float = Field(85, gt=20, le=500)
    metric: Metric = "accuracy_majority"
    axes: tuple[Factor, Factor] | None = None
    """The two choices; null takes the two that explain most of the variance."""


class _OfPartitions(Figure):
    """Base class of the settings of figures that compare the partitions of the study's cells."""

    sources: ClassVar[tuple[str, ...]] = ("clusters",)
    shows_consensus = False
    of_one_subset = True
    computes = True
    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the partitions of all cells."""
        return partitions_bytes(n, stored)


class _OfAgreement(_OfPartitions):
    """Base class of the settings of figures that read nothing but the agreement of every two cells."""

    sources = ("agreement",)

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of some matrices of all pairs of cells."""
        return PAIRS_OF_CELLS_COPIES * FLOAT * len(stored) ** 2


class Trust(_OfPartitions):
    """A ranking of the cells by trust that needs no labels: the agreement of each cell with the others, compared with
    other ways to rank cells."""

    sources = ("manifest", "clusters", "scores", "agreement")
    kind: Literal["trust"] = "trust"
    n_samples: int = Field(100, ge=20)
    """Number of samples of images and cells for the intervals of the ranks, and of shuffled studies for `chance`."""
    n_resamples: int = Field(0, ge=0, le=100)
    """Number of samples of 80 % of the images that every cell clusters again, best of 10 starts, to measure its
    stability under resampling; 0 does not measure it. A sample costs as much as 8 restarts of k-means, or most of a
    clustering by a method without restarts. The reductions are not fitted again."""
    seed: Seed = 0

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.sources, "points") if self.n_resamples else self.sources

    @property
    def runs_clusterers(self) -> bool:
        return self.n_resamples > 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the partitions of all cells, and of the points of one that is clustered again."""
        return super().memory(n, width, d, stored) + bool(self.n_resamples) * FLOAT * n * self.copies_of_points * d


class SpecificationCurve(_OfPartitions):
    """All cells sorted by a metric, with the range of their repeats, and their choices below."""

    sources = ("clusters", "scores", "agreement")
    kind: Literal["specification_curve"] = "specification_curve"
    metric: Metric | Literal["agreement"] = "ari"
    """The metric; `agreement` is the mean ARI with the other cells. It is also used if the metric needs labels and
    there are none."""


class ChoiceMap(_OfAgreement):
    """The agreement of every two cells, ordered by a tree, with the choices as coloured bars."""

    kind: Literal["choice_map"] = "choice_map"


class PartitionEffects(_OfAgreement):
    """The share of the disagreement between cells that each choice explains; needs no labels."""

    in_prose = (
        "the effect of each choice on the partitions by permutational analysis of variance of their distances "
        "[@anderson2001]"
    )
    kind: Literal["partition_effects"] = "partition_effects"
    pairs: int = Field(3, ge=0)
    """Number of interactions of two choices that are shown, the strongest first."""
    n_permutations: int = Field(499, ge=99)
    seed: Seed = 0


class RestartsEnough(_OfPartitions):
    """The probability that the best of n restarts is the best of all, which shows how many restarts are enough; needs
    no labels."""

    in_prose = "the probability of having missed an optimum of k-means [@good1953]"
    kind: Literal["restarts_enough"] = "restarts_enough"

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of all labels of one cell, and of those that are counted at once."""
        return super().memory(n, width, d, (1,) * max(stored))


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
    facts: str | None = None
    """A CSV with a column `path` or `image_id`, and a column for each further fact, such as instrument or operator."""
    n_permutations: int = Field(999, ge=99)
    seed: Seed = 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of what is known of the images."""
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
    """Number of images that are perturbed, divided between the labels in proportion. Each takes as long as 19
    images."""
    seed: Seed = 0
    """Seed by which the images are drawn."""
    cell: Literal["baseline", "trusted"] = "baseline"
    """The cell whose groups are compared: `baseline`, with the choices `at`, or `trusted`, the one that agrees most
    with the others, among the study's cells with the choices `at` that new images can be assigned to."""

    @property
    def n_perturbed(self) -> int:
        return self.n_images

    @property
    def of_trusted_cell(self) -> bool:
        return self.cell == "trusted"


PALETTES = (
    *("Accent", "Dark2", "Paired", "Pastel1", "Pastel2", "Set1", "Set2", "Set3", "okabe_ito"),
    *("petroff10", "petroff6", "petroff8", "tab10", "tab20", "tab20b", "tab20c"),
)
"""The names of matplotlib's colour sequences, listed here because rules do not import matplotlib."""


class Style(Model):
    """The style of all figures."""

    font: str = "DejaVu Sans"
    font_size: float = Field(8, gt=3, le=30)
    """Font size in points."""
    palette: Literal[PALETTES] = "petroff10"  # type: ignore[valid-type]
    """A colour sequence of matplotlib; classes and lines take its colours in order. The default (Petroff 2021) can be
    told apart by colour-blind readers."""
    dpi: int = Field(200, ge=50, le=1200)
