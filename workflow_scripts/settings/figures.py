"""The kinds of figures, and how all of them look."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.grid.axes import AXES, NUMBERS, SWITCHES, axes_of
from workflow_scripts.settings.base import Model
from workflow_scripts.settings.clusterers import Ks
from workflow_scripts.settings.costs import DISTANCES_AT_ONCE, FLOAT, PAIRS_COPIES
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
"""What a figure may be drawn along, and of which kind it is: the axes, by the columns of the tables that hold them."""
X = (*(name for name, kind in SHOWN.items() if kind != SWITCHES), "k")
HUES = tuple(name for name, kind in SHOWN.items() if kind != NUMBERS)
Metric = Literal[METRICS]  # type: ignore[valid-type]
Factor = Literal[(*AXES, "k")]  # type: ignore[valid-type]
Along = Literal[X]  # type: ignore[valid-type]
Hue = Literal[HUES]  # type: ignore[valid-type]
DRAWING = {"title", "width", "height"}


def _number_or_best(given: Any) -> Any:
    if given not in (None, "best") and not str(given).isdigit():
        raise ValueError(f"found {given!r}, allowed: a whole number, best")
    return given


K = Annotated[int | Literal["best"] | None, BeforeValidator(_number_or_best)]
"""Number of clusters of a figure: null is the smallest of its clusterer, `best` that of the best mean of the metric
`by` over the repeats."""


def check_axes(key: str, axes: Iterable[str]) -> None:
    for axis in axes:
        if axis not in AXES:
            raise ValueError(f"{key}: unknown axis: {found_allowed(axis, AXES)}")


class Drawing(Model):
    """What every figure has; only these keys are read when it is drawn, the others when its table is made."""

    sources: ClassVar[tuple[str, ...]] = ("scores",)
    """The artefacts of its cells that its table is computed from."""
    title: str | None = None
    width: float = Field(170, gt=20, le=500)
    """Millimetres; 85 is one column of a journal, 170 two."""
    height: float | None = Field(None, gt=20, le=500)
    """Millimetres; null lets the kind of figure choose."""
    at: dict[str, Any] = {}
    """Choices: a figure of one cell shows the baseline with these, one of many the study's cells that have these."""

    @model_validator(mode="after")
    def _axes(self) -> Self:
        check_axes("at", self.at)
        return self

    def table_settings(self) -> dict[str, Any]:
        """Return what decides the figure's table."""
        return self.dump(exclude=DRAWING)

    def draw_settings(self) -> dict[str, Any]:
        """Return what decides how the table is drawn."""
        return self.dump(include=DRAWING | {"kind"})


class Figure(Drawing, Method):
    """A kind of figure of a study; the module of the same name in `figures/` has `tabulate` and `draw`."""

    tag = "kind"
    registry: ClassVar[dict[str, type["Figure"]]] = {}
    of_cells: ClassVar[Literal["one", "all"] | tuple[str, ...]] = "all"
    """The cells of the study that it shows: the one at `at`, all that have what `at` says, or of these the first of
    each combination of the named axes."""
    of_method: ClassVar[str | None] = None
    """The method of the decompositions that are shown; null takes cells with any or none."""
    shows_consensus: ClassVar[bool] = True
    """Whether a cell whose clusters are the consensus of other cells may be among them."""
    computes: ClassVar[bool] = False
    """Whether its table takes so long that it is a job for a cluster's nodes."""
    runs_clusterers: ClassVar[bool] = False
    """Whether its table runs the cells' clusterers itself, for which it gets their settings."""
    shows_images: ClassVar[bool] = False
    copies_of_points: ClassVar[int] = 4
    """How many copies of what is clustered, in double precision, the job of its table holds."""
    copies_of_features: ClassVar[int] = 0
    """How many copies of the features, in double precision, the job of its table holds."""
    holds_pairs: ClassVar[bool] = False
    """Whether the job of its table holds the distances of all pairs, in blocks where there are many."""
    shows_scales: ClassVar[bool] = False
    """Whether it needs the scales of the images, which only an intake with `scale_bars` reads."""

    @property
    def decomposition_shown(self) -> str | None:
        """Return the name of a decomposition that is drawn beside those of the cells; None if there is none."""
        return None

    def memory(self, n: int, width: int, d: int) -> int:
        """Return the bytes that the job of the table holds at once beside its libraries.

        Of n images with `width` features, of which d numbers are clustered.
        """
        pairs = min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE) if self.holds_pairs else 0
        return FLOAT * n * (self.copies_of_points * d + self.copies_of_features * width) + int(pairs)


class _OfOneK(Figure):
    """A figure of one cell with one k."""

    of_cells = "one"
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric of `k: best`."""


class Samples(Figure):
    """Images of each class, as preprocessed."""

    sources = ("manifest",)
    of_cells = "one"
    shows_images = True
    kind: Literal["samples"] = "samples"
    per_class: int = Field(4, ge=1, le=20)


class Formats(Figure):
    """How many files of each format there are, and what became of them, as a table."""

    sources = ("formats",)
    of_cells = "one"
    kind: Literal["formats"] = "formats"
    width: float = Field(85, gt=20, le=500)


class ScaleTable(Figure):
    """How many images of each class there are at each length of the scale bar; needs `intake: {scale_bars: true}`."""

    sources = ("manifest",)
    of_cells = "one"
    shows_scales = True
    kind: Literal["scale_table"] = "scale_table"


class ClassDistribution(Figure):
    """How many images each class has."""

    sources = ("manifest",)
    of_cells = "one"
    kind: Literal["class_distribution"] = "class_distribution"
    width: float = Field(85, gt=20, le=500)


class Preprocessing(Figure):
    """One image and its histogram under each preprocessing of the study, for `classes` classes."""

    sources = ("manifest", "preprocessed")
    of_cells = axes_of("preprocessed")
    shows_images = True
    kind: Literal["preprocessing"] = "preprocessing"
    classes: int = Field(2, ge=1, le=6)


class ExplainedVariance(Figure):
    """Cumulative explained variance of each decomposition of the study."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "pca"
    kind: Literal["explained_variance"] = "explained_variance"
    width: float = Field(85, gt=20, le=500)


class IntrinsicDimension(Figure):
    """The intrinsic dimension of the features by two nearest neighbours, of all images and of samples of them."""

    sources = ("features",)
    of_cells = axes_of("features")
    computes = True
    copies_of_points = 0
    copies_of_features = 4
    kind: Literal["intrinsic_dimension"] = "intrinsic_dimension"
    fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field([1.0, 0.9, 0.7, 0.5], min_length=1, max_length=6)
    """Of the images, those of smallest mu that a line is fitted to."""
    smallest: int = Field(50, ge=20)
    """Images of the smallest samples, at least."""
    seed: int = 0


class ThickLine(Figure):
    """Why the dimension is taken of samples of many sizes: few and many points of a line with noise across it."""

    sources = ()
    of_cells = "one"
    computes = True
    kind: Literal["thick_line"] = "thick_line"
    n_points: tuple[Annotated[int, Field(ge=100)], Annotated[int, Field(ge=100)]] = (1000, 50_000)
    noise: float = Field(0.001, gt=0)
    """Standard deviation across the line, which is 100 long."""
    smallest: int = Field(50, ge=20)
    """Points of the smallest samples, at least."""
    seed: int = 0

    def memory(self, n: int, width: int, d: int) -> int:
        """Return the bytes of the points of the line, their neighbours and copies."""
        return 40 * FLOAT * max(self.n_points)


class Reconstruction(Figure):
    """The held-out reconstruction error of each autoencoder of the study, and of PCA with as many components."""

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
    """Distances within a class-sorted, class-balanced sample before and after reduction, and their correlation with
    the discrete distance: 0 within a class, 1 across."""

    sources = ("manifest", "features", "points")
    of_cells = axes_of("points")
    computes = True
    copies_of_points = 2
    copies_of_features = 2
    kind: Literal["distances"] = "distances"
    n_images: int = Field(240, ge=10, le=2000)
    """Of the sample; each class has its share, or all of its images."""
    n_bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: int = 0


class Embedding(_OfOneK):
    """A two-dimensional map by label and by cluster."""

    sources = ("manifest", "map", "points", "clusters", "scores")
    shows_images = True
    kind: Literal["embedding"] = "embedding"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""
    insets: list[str] = Field([], max_length=6)
    """Clusters (`Sc`, `Sc-2`) of which typical images are shown: those nearest the centre."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Confusion(_OfOneK):
    """Confusion matrix of one clustering after the majority vote: the best of the repeats."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["confusion"] = "confusion"
    width: float = Field(85, gt=20, le=500)


class ClassByCluster(_OfOneK):
    """Images of each class in each cluster, before any vote."""

    sources = ("manifest", "clusters", "scores")
    kind: Literal["class_by_cluster"] = "class_by_cluster"
    width: float = Field(85, gt=20, le=500)


class ContactSheet(_OfOneK):
    """Each cluster in pictures: nearest the centre, at the border, farthest."""

    sources = ("manifest", "points", "clusters", "scores")
    shows_images = True
    kind: Literal["contact_sheet"] = "contact_sheet"
    clusters: list[str] = []
    """Their names (`Sc`, `Sc-2`; numbers without labels); none stands for all."""
    per_place: int = Field(4, ge=1, le=8)
    """Pictures of a cluster for each of the three places."""


class ClusterPair(_OfOneK):
    """Two clusters side by side, in pictures as on a contact sheet."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    shows_images = True
    kind: Literal["cluster_pair"] = "cluster_pair"
    clusters: tuple[str, str] | None = None
    """Their names; null takes the two whose centres are nearest each other."""
    per_place: int = Field(5, ge=1, le=8)
    """Pictures of a cluster for each of the three places."""


class NearTwins(_OfOneK):
    """Images whose nearest neighbour is in another cluster, with it; the closest pairs."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    shows_images = True
    kind: Literal["near_twins"] = "near_twins"
    pairs: int = Field(12, ge=1, le=40)
    """Pairs that are drawn; the table has all."""


class ClassScores(_OfOneK):
    """Precision, recall and F1 of each class, mean and spread over the repeats, as a table."""

    sources = ("class_scores", "scores")
    kind: Literal["class_scores"] = "class_scores"
    width: float = Field(85, gt=20, le=500)


class ClusterScores(_OfOneK):
    """What each cluster of one clustering is worth, as a table: size, purity, cohesion, silhouette, DBCV."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    copies_of_points = 6
    holds_pairs = True
    kind: Literal["cluster_scores"] = "cluster_scores"
    width: float = Field(85, gt=20, le=500)


class SilhouetteProfile(_OfOneK):
    """The silhouette of every image, sorted within its cluster."""

    sources = ("manifest", "points", "clusters", "scores")
    computes = True
    holds_pairs = True
    kind: Literal["silhouette_profile"] = "silhouette_profile"
    width: float = Field(85, gt=20, le=500)


class ClustererScores(Figure):
    """The clusterers of the study side by side, as a table: clusters, noise and metrics."""

    sources = ("scores",)
    kind: Literal["clusterer_scores"] = "clusterer_scores"
    metrics: list[Metric] = Field(["nmi_geometric", "ari", "purity", "silhouette", "dbcv"], min_length=1, max_length=6)
    k: int | None = None
    """Of the clusterers that are told one; null is the smallest of each."""


class KDistance(Figure):
    """The sorted k-distance curve of each reduction, its knee, and whether there is a density gap for DBSCAN."""

    sources = ("points",)
    of_cells = axes_of("points")
    computes = True
    kind: Literal["k_distance"] = "k_distance"
    min_samples: int = Field(10, ge=2)
    """As of DBSCAN: the distance is that to neighbour number `min_samples` - 1."""


class NmiCurves(Figure):
    """Normalised mutual information (geometric) against k, a panel for each features, with three reference curves."""

    sources = ("manifest", "points", "scores")
    computes = True
    copies_of_points = 0
    kind: Literal["nmi_curves"] = "nmi_curves"
    draws: int = Field(20, ge=2)
    """Of random labels, for each k."""


class DecisionGraph(_OfOneK):
    """Density and distance to a denser image, by which Density Peaks chooses its centres."""

    sources = ("clusters", "scores")
    kind: Literal["decision_graph"] = "decision_graph"


class ToyPanel(Figure):
    """The study's clusterers on six shapes in the plane, with running times: the one table that is measured anew."""

    sources = ()
    of_cells = ("clusterer",)
    shows_consensus = False
    computes = True
    runs_clusterers = True
    kind: Literal["toy_panel"] = "toy_panel"
    n_points: int = Field(3000, ge=200)

    def memory(self, n: int, width: int, d: int) -> int:
        """Return the bytes of five matrices of all pairs of points, the most that a clusterer holds."""
        return 5 * FLOAT * self.n_points**2


class Maps(Figure):
    """The maps of the study's cells beside each other, by label."""

    sources = ("manifest", "map")
    of_cells = axes_of("features")
    kind: Literal["maps"] = "maps"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Tree(Figure):
    """The tree of nested clusters (linkage, Density Peaks), with the picture nearest the centre of each."""

    sources = ("manifest", "points", "clusters")
    of_cells = "one"
    shows_images = True
    kind: Literal["tree"] = "tree"
    leaves: int = Field(12, ge=2, le=40)


class ChooseK(Figure):
    """How many groups: elbow, silhouette, gap statistic, BIC and stability over one range of k, by k-means."""

    sources = ("manifest", "points")
    of_cells = "one"
    computes = True
    copies_of_points = 8
    holds_pairs = True
    kind: Literal["choose_k"] = "choose_k"
    ks: Annotated[Ks, Field(min_length=3)] = list(range(1, 13))
    """Numbers of clusters, a list or a range as `1-12`; those of the cell's clusterer don't matter."""
    n_init: int = Field(20, ge=1)
    """Restarts of each k-means."""
    n_references: int = Field(20, ge=2)
    """Sets of points without groups, with which gap, elbow and silhouette are compared."""
    n_resamples: int = Field(20, ge=2)
    """Subsets of 80 % of the images, and splits of them in halves, that tell how sure a recommendation is."""
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag"
    """Of the Gaussian mixtures of the BIC."""
    seed: int = 0


class Folds(Figure):
    """A metric on the training folds and on the fold that was held out, for each fold of each cell."""

    sources = ("validated",)
    kind: Literal["folds"] = "folds"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """null is the smallest k of each cell's clusterer."""


class Sensitivity(Figure):
    """Metrics against one choice, a line for each value of another, mean and spread over the repeats."""

    kind: Literal["sensitivity"] = "sensitivity"
    x: Along
    hue: Hue | None = None
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    k: int | None = None
    """Where x is another choice; null is the smallest k of each cell's clusterer."""


class Restarts(Figure):
    """Accuracy of every restart against its inertia relative to the lowest, and the histogram of accuracy."""

    kind: Literal["restarts"] = "restarts"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """null is the smallest k of each cell's clusterer."""


class BestOfN(Figure):
    """The metric to expect from the best of n restarts, with a band from the bootstrap over all restarts."""

    kind: Literal["best_of_n"] = "best_of_n"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """null is the smallest k of each cell's clusterer."""
    confidence: float = Field(0.95, gt=0, lt=1)


class Effects(Figure):
    """How much of the variance over a full product of choices each choice, and each pair of them, explains."""

    kind: Literal["effects"] = "effects"
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    pairs: int = Field(5, ge=0)
    """The strongest interactions that are shown."""


class Heatmap(Figure):
    """A metric over two choices of a full product, mean over all others: by default the two of the largest effect."""

    kind: Literal["heatmap"] = "heatmap"
    width: float = Field(85, gt=20, le=500)
    metric: Metric = "accuracy_majority"
    axes: tuple[Factor, Factor] | None = None
    """null takes the two that explain most."""


class _OfPartitions(Figure):
    """A figure that compares the partitions of the study's cells with each other."""

    sources = ("manifest", "clusters", "scores")
    shows_consensus = False
    computes = True
    k: int | None = None
    """null is the smallest k of each cell's clusterer."""


class Trust(_OfPartitions):
    """Which cell to trust without labels: every cell's agreement with the others, beside what else could rank it."""

    kind: Literal["trust"] = "trust"
    n_samples: int = Field(100, ge=20)
    """Samples of images and cells behind the intervals of the ranks, and shuffled studies behind `chance`."""
    seed: int = 0


class SpecificationCurve(_OfPartitions):
    """All cells sorted by a metric, with what the repeats spread over, and below them their choices."""

    kind: Literal["specification_curve"] = "specification_curve"
    metric: Metric | Literal["agreement"] = "ari"
    """`agreement` is the mean ARI with the other cells; it stands in where the metric needs labels and there are
    none."""


class ChoiceMap(_OfPartitions):
    """How far every two cells agree, ordered by a tree, with the choices as coloured bars."""

    kind: Literal["choice_map"] = "choice_map"


class PartitionEffects(_OfPartitions):
    """How much of the disagreement between cells each choice explains; needs no labels."""

    kind: Literal["partition_effects"] = "partition_effects"
    pairs: int = Field(3, ge=0)
    """The strongest interactions that are shown."""
    n_permutations: int = Field(499, ge=99)
    seed: int = 0


class RestartsEnough(_OfPartitions):
    """How many restarts are enough, without labels: the chance that the best of n is the best optimum."""

    kind: Literal["restarts_enough"] = "restarts_enough"


class Nuisances(Figure):
    """How strongly brightness, sharpness, size, format, folders and other known facts go with the consensus's
    groups."""

    sources = ("manifest", "preprocessed", "consensus", "facts")
    computes = True
    kind: Literal["nuisances"] = "nuisances"
    facts: str | None = None
    """A CSV with further facts, a column each, and a column `path` or `image_id`: instrument, operator, date."""
    n_permutations: int = Field(999, ge=99)
    seed: int = 0


PALETTES = (
    *("Accent", "Dark2", "Paired", "Pastel1", "Pastel2", "Set1", "Set2", "Set3", "okabe_ito"),
    *("petroff10", "petroff6", "petroff8", "tab10", "tab20", "tab20b", "tab20c"),
)
"""The colour sequences of matplotlib, which rules do not import."""


class Style(Model):
    """How all figures look."""

    font: str = "DejaVu Sans"
    font_size: float = Field(8, gt=3, le=30)
    """Points."""
    palette: Literal[PALETTES] = "petroff10"  # type: ignore[valid-type]
    """A colour sequence of matplotlib; classes and lines take its colours in order. The default (Petroff 2021) is made
    for colour-blind eyes."""
    dpi: int = Field(200, ge=50, le=1200)
