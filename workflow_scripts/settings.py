"""The configuration: pydantic models that hold every default, check every key and give the schema.

Rules import this module, so it imports nothing heavy. A method is registered here once, by the model of its settings;
its code is the module of the same name in the stage's folder.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)

from workflow_scripts.backbones import names
from workflow_scripts.errors import UserError, found_allowed

ENDINGS = (".classes", ".csv", ".h5", ".parquet", ".png", ".svg")
"""What file names have behind the name of a variant, a study or a figure; no name ends so itself."""


def _no_ending(name: str) -> str:
    if name.endswith(ENDINGS):
        raise ValueError(f"found {name!r}, allowed: a name that does not end in {', '.join(ENDINGS)}")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$"), AfterValidator(_no_ending)]
RESERVED_STUDIES = {"all", "reproduction", "table"}
FEATURES_THEMSELVES = "none"
"""The decomposition's name that stands for clustering the features as they are."""
SHARED = {"backbones": ("weights", "weights"), "clusterers": ("n_clusters", "k")}
"""Of a section, the key at the top (two letters or more, for `--config`) whose value goes to all variants that leave
theirs out."""
AXES = ("preprocess", "backbone", "layer", "decomposition", "n_components", "whiten", "clusterer")


class Model(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error that lists the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    # A step's name is written before its parameters and is none of them.
                    allowed = [name for name in cls.model_fields if name != "step"]
                    raise ValueError(f"unknown key: {found_allowed(key, allowed)}")
        return given

    def dump(self, **how: Any) -> dict[str, Any]:
        """The settings as JSON values with sorted keys, fit for a job's `params`."""
        return json.loads(json.dumps(self.model_dump(mode="json", **how), sort_keys=True))


# ---------------------------------------------------------------------------------------------------------- intake


LabelRule = Literal["auto", "none", "folder", "prefix", "regex", "csv"]


class Labels(Model):
    """Where labels come from; one of the rules, with what it needs."""

    rule: LabelRule = "auto"
    level: int = -1
    """folder: which level of the relative path; -1 is the nearest folder, 0 the outermost."""
    pattern: str | None = None
    """regex: matched against the relative path; its group `label`, or its first, is the label."""
    file: str | None = None
    """csv, auto: a file with the columns `path` (or `filename` or `image_id`) and `label`; null is `labels.csv` at the
    top of the data folder, which is never taken for a picture's file."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Labels":
        if self.rule == "regex":
            allowed = "a regular expression with a group for the label"
            try:
                groups = re.compile(self.pattern or "").groups
            except re.error as error:
                raise ValueError(f"pattern: found {self.pattern!r} ({error}), allowed: {allowed}") from None
            if not groups:
                raise ValueError(f"pattern: found {self.pattern!r}, allowed: {allowed}")
        return self


def _rule_alone(given: Any) -> Any:
    return {"rule": given} if isinstance(given, str) else given


class Intake(Model):
    """Which files are pictures of the data set."""

    include: list[str] = ["**/*"]
    """Glob patterns of relative paths; `**` stands for any number of folders."""
    exclude: list[str] = []
    labels: Annotated[Labels, BeforeValidator(_rule_alone, json_schema_input_type=LabelRule | Labels)] = Labels()
    duplicates: Literal["drop", "keep"] = "drop"
    min_size: int = Field(16, ge=2)
    """Shortest side, pixels."""
    max_pixels: int = Field(100_000_000, ge=1)
    """Width times height above which a file is rejected before it is decoded."""


# ------------------------------------------------------------------------------------------------------ preprocess


Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class Grey(Model):
    """Luminance (skimage.color.rgb2gray)."""

    step: Literal["grey"] = "grey"


class Colour(Model):
    """Three channels (skimage.color.gray2rgb)."""

    step: Literal["colour"] = "colour"


class Clahe(Model):
    """Contrast-limited adaptive histogram equalisation (skimage.exposure.equalize_adapthist)."""

    step: Literal["clahe"] = "clahe"
    kernel_size: int | None = Field(None, ge=2)
    """Pixels; null is an eighth of the image's height and width."""
    clip_limit: float = Field(0.01, gt=0, le=1)
    nbins: int = Field(256, ge=2)


class RankEqualise(Model):
    """Local equalisation in a disk (skimage.filters.rank.equalize)."""

    step: Literal["rank_equalise"] = "rank_equalise"
    radius: int = Field(30, ge=1)


class Resize(Model):
    """skimage.transform.resize, bilinear; `size` is [height, width] in pixels."""

    step: Literal["resize"] = "resize"
    size: Size = (224, 224)
    anti_aliasing: bool = True


class CentreCrop(Model):
    """The middle of the image; `size` is [height, width] in pixels."""

    step: Literal["centre_crop"] = "centre_crop"
    size: Size = (224, 224)


class RescaleIntensity(Model):
    """Percentiles `low` and `high` go to 0 and 1 (skimage.exposure.rescale_intensity)."""

    step: Literal["rescale_intensity"] = "rescale_intensity"
    low: float = Field(1, ge=0, lt=100)
    high: float = Field(99, gt=0, le=100)

    @model_validator(mode="after")
    def _low_below_high(self) -> "RescaleIntensity":
        if self.low >= self.high:
            raise ValueError(f"low: found {self.low:g}, allowed: below high, {self.high:g}")
        return self


STEPS = {
    model.model_fields["step"].default: model
    for model in (Grey, Colour, Clahe, RankEqualise, Resize, CentreCrop, RescaleIntensity)
}


class Preprocess(Model):
    """An ordered list of steps, each a name or a name with its parameters."""

    steps: list[
        Annotated[
            Grey | Colour | Clahe | RankEqualise | Resize | CentreCrop | RescaleIntensity, Field(discriminator="step")
        ]
    ]

    @model_validator(mode="before")
    @classmethod
    def _named_steps(cls, given: Any) -> Any:
        if not isinstance(given, list):
            raise ValueError(f"found {given!r}, allowed: a list of steps ({', '.join(STEPS)})")
        return {"steps": [_named_step(step) for step in given]}

    @model_validator(mode="after")
    def _same_size_for_all(self) -> "Preprocess":
        if not any(isinstance(step, Resize | CentreCrop) for step in self.steps):
            raise ValueError("no step gives all images one size; add resize or centre_crop")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """As the YAML has it: a list of names, or of names with their parameters."""
        steps = handler.resolve_ref_schema(handler(core))["properties"]["steps"]["items"]["discriminator"]["mapping"]
        with_parameters = {
            "type": "object",
            "properties": {name: {"$ref": reference} for name, reference in steps.items()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        step = {"anyOf": [{"enum": list(steps)}, with_parameters]}
        return {"type": "array", "items": step, "minItems": 1, "description": cls.__doc__}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every image after the last step, pixels."""
        return [step.size for step in self.steps if isinstance(step, Resize | CentreCrop)][-1]

    @property
    def channels(self) -> int:
        """1 if grey is the last word on colour; 3 otherwise (the most that there can be)."""
        decisive = [step for step in self.steps if isinstance(step, Grey | Colour)]
        return 1 if decisive and isinstance(decisive[-1], Grey) else 3


def _named_step(given: Any) -> Any:
    name, parameters = next(iter(given.items())) if isinstance(given, Mapping) and len(given) == 1 else (given, {})
    if not isinstance(name, str) or not isinstance(parameters, Mapping):
        raise ValueError(f"found {given!r}, allowed: a step's name, alone or as {{name: {{parameter: value}}}}")
    if name not in STEPS:
        raise ValueError(found_allowed(name, STEPS))
    return {**parameters, "step": name}


# -------------------------------------------------------------------------------------------------------- backbones


class FineTuning(Model):
    """Training of the network on the labelled images, before it is frozen; a part of them is held out."""

    preprocess: Name
    """The variant whose images it is trained on."""
    trained: Literal["head", "all"] = "head"
    """The last layer alone, or all."""
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    seed: int = 0


class Backbone(Model):
    """A frozen network, its weights, and the layers that are read from it."""

    model: str
    """A classification model of torchvision, or `timm:NAME` with the timm extra."""
    weights: str
    """`default` (torchvision's), the name of one of torchvision's weight sets, a file (.pth, .pt, .safetensors, Keras
    .h5), `package:NAME/path/inside` an installed package, `random`, or `none`; left out, the configuration's
    `weights`."""
    sha256: str | None = None
    """What the weight file's SHA-256 has to be."""
    seed: int = 0
    """Of random weights."""
    normalise: Literal["auto", "imagenet", "caffe", "symmetric", "lite"] = "auto"
    """How pixels are scaled; `auto` goes by the weights."""
    size: int | None = Field(None, ge=16)
    """Side to which images are resized before the network, pixels; null takes them as they are preprocessed."""
    batch_size: int | None = Field(None, ge=1)
    """Part of the result: features change in the last bits with it. null is the device's default."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    finetune: FineTuning | None = None
    layers: list[list[str]] = Field(min_length=1)
    """The passes; layers of one inner list come from one forward pass."""

    @model_validator(mode="after")
    def _each_layer_once(self) -> "Backbone":
        flat = [layer for layers in self.layers for layer in layers]
        if not flat or not all(self.layers):
            raise ValueError("layers: found an empty pass")
        twice = sorted({layer for layer in flat if flat.count(layer) > 1})
        if twice:
            raise ValueError(f"layers: {', '.join(twice)} is in two passes; name it in one")
        for layer in flat:
            if trouble := names.unknown_layer(self.model, layer):
                raise ValueError(trouble)
        return self

    def network(self) -> dict[str, Any]:
        """What decides the frozen network and its input: all but the layers and the fine-tuning."""
        return self.dump(exclude={"layers", "finetune"})

    @property
    def weight_file(self) -> str | None:
        """The file that `weights` names, if it does."""
        is_file = self.weights.endswith((".pth", ".pt", ".safetensors", ".h5")) and ":" not in self.weights
        return str(Path(self.weights).expanduser()) if is_file else None

    def pass_of(self, layer: str) -> int | None:
        """The number of the pass that makes `layer`."""
        return next((number for number, layers in enumerate(self.layers) if layer in layers), None)

    def layers_beside(self, layer: str) -> list[str]:
        """The layers that come from one pass with `layer`, itself among them."""
        return next(layers for layers in self.layers if layer in layers)


# --------------------------------------------------------------------------------------------------- decompositions


class Pca(Model):
    """Principal components, all that there are or the first `max_components`; readers take the first n of them."""

    method: Literal["pca"] = "pca"
    max_components: int | None = Field(None, ge=1)


class Tsne(Model):
    """t-SNE map (openTSNE) of the first `n_components` unwhitened components of the decomposition `of`."""

    method: Literal["tsne"] = "tsne"
    of: str = "pca"
    n_components: int = Field(50, ge=1)
    perplexity: float = Field(30, gt=1)
    seed: int = 0


Decomposition = Annotated[Pca | Tsne, Field(discriminator="method")]


# ------------------------------------------------------------------------------------------------------- clusterers


Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]


def _one_alone(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


class _Restarted(Model):
    k: Annotated[Numbers, BeforeValidator(_one_alone, json_schema_input_type=Number | Numbers)]
    """Numbers of clusters. Left out, it is the configuration's `n_clusters`."""
    n_init: int = Field(100, ge=1)
    """Restarts of a repeat."""
    repeats: int = Field(3, ge=1)
    max_iter: int = Field(300, ge=1)

    @model_validator(mode="after")
    def _each_k_once(self) -> "_Restarted":
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k: found {self.k}, allowed: each number once")
        return self


class KMeans(_Restarted):
    """Lloyd's k-means, the lowest inertia of `n_init` restarts, `repeats` times with seeds of their own."""

    method: Literal["kmeans"] = "kmeans"
    init: Literal["k-means++", "k-means++-plain", "random"] = "k-means++"
    keep: Literal["best", "all"] = "best"
    """`all` stores every restart, `best` the best of each repeat."""
    device: Literal["cpu", "cuda"] = "cpu"


class MiniBatchKMeans(_Restarted):
    """scikit-learn's MiniBatchKMeans, for hundreds of thousands of images."""

    method: Literal["minibatch_kmeans"] = "minibatch_kmeans"
    n_init: int = Field(3, ge=1)
    batch_size: int = Field(4096, ge=1)


Clusterer = Annotated[KMeans | MiniBatchKMeans, Field(discriminator="method")]


# ------------------------------------------------------------------------------------------------ cross-validations


class CrossValidation(Model):
    """Stratified folds; decomposition, clusterer and the clusters' classes are fitted on the training folds only."""

    folds: int = Field(5, ge=2)
    mapping: list[Literal["training", "validation"]] = Field(["training"], min_length=1)
    """Whose labels name the clusters that judge the validation fold; `validation` leaks, as in Cohn & Holm 2020."""


# ---------------------------------------------------------------------------------------------------------- figures

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
)
Metric = Literal[METRICS]  # type: ignore[valid-type]
Factor = Literal[(*AXES, "k")]  # type: ignore[valid-type]
DRAWING = {"title", "width", "height"}


def _number_or_best(given: Any) -> Any:
    if given not in (None, "best") and not str(given).isdigit():
        raise ValueError(f"found {given!r}, allowed: a whole number, best")
    return given


K = Annotated[int | Literal["best"] | None, BeforeValidator(_number_or_best)]
"""Number of clusters of a figure: null is the smallest of its clusterer, `best` that of the highest mean of the metric
`by` over the repeats."""


def _check_axes(key: str, axes: Iterable[str]) -> None:
    for axis in axes:
        if axis not in AXES:
            raise ValueError(f"{key}: unknown axis: {found_allowed(axis, AXES)}")


class Figure(Model):
    """What every figure has; only these keys are read when it is drawn, the others when its table is made."""

    sources: ClassVar[tuple[str, ...]] = ("scores",)
    """The artefacts of its cells that its table is computed from."""
    shows_images: ClassVar[bool] = False
    title: str | None = None
    width: float = Field(170, gt=20, le=500)
    """Millimetres; 85 is one column of a journal, 170 two."""
    height: float | None = Field(None, gt=20, le=500)
    """Millimetres; null lets the kind of figure choose."""
    at: dict[str, Any] = {}
    """Choices: a figure of one cell shows the baseline with these, one of many the study's cells that have these."""

    @model_validator(mode="after")
    def _axes(self) -> "Figure":
        _check_axes("at", self.at)
        return self

    def table_settings(self) -> dict[str, Any]:
        return self.dump(exclude=DRAWING)

    def draw_settings(self) -> dict[str, Any]:
        return self.dump(include=DRAWING | {"kind"})


class Samples(Figure):
    """Images of each class, as preprocessed."""

    sources: ClassVar[tuple[str, ...]] = ("manifest",)
    shows_images: ClassVar[bool] = True
    kind: Literal["samples"] = "samples"
    per_class: int = Field(4, ge=1, le=20)


class Preprocessing(Figure):
    """One image and its histogram under each preprocessing of the study, for `classes` classes."""

    sources: ClassVar[tuple[str, ...]] = ("manifest", "preprocessed")
    shows_images: ClassVar[bool] = True
    kind: Literal["preprocessing"] = "preprocessing"
    classes: int = Field(2, ge=1, le=6)


class ExplainedVariance(Figure):
    """Cumulative explained variance of each decomposition of the study."""

    sources: ClassVar[tuple[str, ...]] = ("decomposed",)
    kind: Literal["explained_variance"] = "explained_variance"
    width: float = Field(85, gt=20, le=500)


class Embedding(Figure):
    """A two-dimensional map by label and by cluster."""

    sources: ClassVar[tuple[str, ...]] = ("manifest", "map", "points", "clusters", "scores")
    shows_images: ClassVar[bool] = True
    kind: Literal["embedding"] = "embedding"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric of `k: best`."""
    insets: list[str] = Field([], max_length=6)
    """Clusters (`Sc`, `Sc-2`) of which typical images are shown: those nearest the centre."""


class Confusion(Figure):
    """Confusion matrix of one clustering after the majority vote: the best of the repeats."""

    sources: ClassVar[tuple[str, ...]] = ("manifest", "clusters", "scores")
    kind: Literal["confusion"] = "confusion"
    width: float = Field(85, gt=20, le=500)
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric of `k: best`."""


class ClassScores(Figure):
    """Precision, recall and F1 of each class, mean and spread over the repeats, as a table."""

    sources: ClassVar[tuple[str, ...]] = ("class_scores", "scores")
    kind: Literal["class_scores"] = "class_scores"
    width: float = Field(85, gt=20, le=500)
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric of `k: best`."""


class Maps(Figure):
    """The maps of the study's cells beside each other, by label."""

    sources: ClassVar[tuple[str, ...]] = ("manifest", "map")
    kind: Literal["maps"] = "maps"
    map: str = "tsne"
    """The decomposition that gives the two coordinates."""


class Folds(Figure):
    """A metric on the training folds and on the fold that was held out, for each fold of each cell."""

    sources: ClassVar[tuple[str, ...]] = ("validated",)
    kind: Literal["folds"] = "folds"
    metric: Metric = "accuracy_majority"
    k: int | None = None
    """null is the smallest k of each cell's clusterer."""


class Sensitivity(Figure):
    """Metrics against one choice, a line for each value of another, mean and spread over the repeats."""

    kind: Literal["sensitivity"] = "sensitivity"
    x: Literal["preprocess", "backbone", "layer", "reducer", "n_components", "k", "clusterer"]
    hue: Literal["preprocess", "backbone", "layer", "reducer", "whiten", "clusterer"] | None = None
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


AnyFigure = Annotated[
    Samples
    | Preprocessing
    | ExplainedVariance
    | Embedding
    | Confusion
    | ClassScores
    | Maps
    | Sensitivity
    | Folds
    | Restarts
    | BestOfN
    | Effects
    | Heatmap,
    Field(discriminator="kind"),
]


class Reproduction(Figure):
    """The run's numbers against published ones: `tables/reproduction.csv`, and a figure of the differences."""

    sources: ClassVar[tuple[str, ...]] = ()
    kind: Literal["reproduction"] = "reproduction"
    published: Name
    """The file of `config/published` with a published number a line."""


class Fact(Model):
    """A published number, and how the same is taken from our tables."""

    what: str
    published: float
    place: str
    """Where it is published."""
    table: str
    """`study`, `study.classes` or `study/figure`: the path below `tables`, without its ending."""
    column: str
    rows: dict[str, str | int | float | bool] = {}
    """The values by which rows of the table are chosen."""
    take: Literal["mean", "sd", "min", "max", "lowest_inertia", "correlation", "share_above", "relative_span"] = "mean"
    """What is taken of the column; `correlation` is with the inertia."""
    limit: float = 0
    """Of `share_above`."""
    tolerance: float = Field(0.01, gt=0)
    layer: str
    """The layer of the publication."""

    @property
    def study(self) -> str:
        return self.table.partition("/")[0].partition(".")[0]


class _Facts(Model):
    facts: list[Fact] = Field(min_length=1)


def read_facts(path: str | Path) -> list[Fact]:
    """The published numbers of a file; raises `UserError` with the place of a mistake."""
    try:
        return _Facts.model_validate(read_yaml(path)).facts
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(map(str, detail["loc"]))
        raise UserError(f"{path}: {key}: {mistake(detail)}") from None


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


# ---------------------------------------------------------------------------------------------------------- studies


class Choices(Model):
    """One value for each axis."""

    preprocess: str
    backbone: str
    layer: str
    decomposition: str = "pca"
    n_components: Annotated[int, Field(ge=1)] | None = None
    """null takes all."""
    whiten: bool = False
    clusterer: str


class Study(Model):
    """A baseline and the axes that vary around it."""

    baseline: dict[str, Any] = {}
    """Choices that differ from the configuration's baseline."""
    vary: dict[str, list[Any]] = {}
    design: Literal["one_at_a_time", "product"] = "one_at_a_time"
    cells: list[dict[str, Any]] = []
    """Further cells: the baseline with these choices."""
    cross_validation: Name | None = None
    """Also scores every cell by this cross-validation."""
    figures: dict[Name, AnyFigure] = {}

    @model_validator(mode="after")
    def _axes(self) -> "Study":
        _check_axes("baseline", self.baseline)
        _check_axes("vary", self.vary)
        for number, cell in enumerate(self.cells):
            _check_axes(f"cells.{number}", cell)
        for axis, values in self.vary.items():
            if not values:
                raise ValueError(f"vary.{axis}: found an empty list; name at least one value")
            if len({json.dumps(value) for value in values}) < len(values):
                raise ValueError(f"vary.{axis}: a value is named twice in {values}")
        return self


class Settings(Model):
    """The whole configuration."""

    data: str = "embedded"
    """`embedded`, or the path of a folder of pictures."""
    name: Name | None = None
    """The data set's id in paths and tables; null is the folder's name and a short hash of its path."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks run."""
    weights: str = "default"
    """Weights of the backbones that name none; `none` leaves out what needs them, and the dry run says so."""
    n_clusters: int = Field(8, ge=1)
    """`k` of the clusterers that name none."""
    seed: int = Field(0, ge=0)
    """The base of every seed."""
    backbone: str | None = None
    """Whose layers `snakemake list_layers` lists: a backbone's name or a model; null is the baseline's."""
    delete: bool = False
    """`snakemake prune --config delete=true` deletes what it lists."""
    intake: Intake = Intake()
    preprocess: dict[Name, Preprocess] = Field(min_length=1)
    backbones: dict[Name, Backbone] = Field(min_length=1)
    decompositions: dict[Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*$")], Decomposition] = {
        "pca": Pca()
    }
    clusterers: dict[Name, Clusterer] = Field(min_length=1)
    cross_validations: dict[Name, CrossValidation] = {}
    baseline: Choices
    studies: dict[Name, Study] = Field(min_length=1)
    reproduction: Reproduction | None = None
    style: Style = Style()

    def published_file(self, project: str) -> str | None:
        """The file of published numbers, checked, below the project's folder; None if the configuration names none."""
        if self.reproduction is None:
            return None
        path = Path(project, "config", "published", f"{self.reproduction.published}.yaml")
        read_facts(path)
        return str(path)

    @model_validator(mode="before")
    @classmethod
    def _shared_values(cls, given: Any) -> Any:
        """What `--config weights=` and `n_clusters=` set goes to the backbones and clusterers that leave it out."""
        if not isinstance(given, Mapping):
            return given
        filled = dict(given)
        for section, (shared, key) in SHARED.items():
            value = given.get(shared, cls.model_fields[shared].default)
            if isinstance(given.get(section), Mapping):
                filled[section] = {
                    name: {key: value, **its} if isinstance(its, Mapping) else its
                    for name, its in given[section].items()
                }
        return filled

    @model_validator(mode="after")
    def _names_exist(self) -> "Settings":
        for name in RESERVED_STUDIES & self.studies.keys():
            raise ValueError(f"studies.{name}: the name is reserved")
        if FEATURES_THEMSELVES in self.decompositions:
            raise ValueError(f"decompositions.{FEATURES_THEMSELVES}: the name is reserved for no decomposition")
        for name, decomposition in self.decompositions.items():
            if isinstance(decomposition, Tsne) and not isinstance(self.decompositions.get(decomposition.of), Pca):
                raise ValueError(f"decompositions.{name}.of: found {decomposition.of!r}, allowed: the name of a pca")
        for name, study in self.studies.items():
            if study.cross_validation and study.cross_validation not in self.cross_validations:
                found = found_allowed(study.cross_validation, self.cross_validations)
                raise ValueError(f"studies.{name}.cross_validation: {found}")
            for figure, its in study.figures.items():
                if isinstance(its, Folds) and not study.cross_validation:
                    raise ValueError(f"studies.{name}.figures.{figure}: the study has no cross_validation")
                if isinstance(its, Embedding | Maps) and its.map not in self.decompositions:
                    found = found_allowed(its.map, self.decompositions)
                    raise ValueError(f"studies.{name}.figures.{figure}.map: {found}")
        return self


# ---------------------------------------------------------------------------------------------------------- reading


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error and not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        merge = "tag:yaml.org,2002:merge"
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != merge]
        for key in keys:
            if keys.count(key) > 1:
                raise UserError(
                    f"{node.start_mark.name}: the key {key!r} stands twice (line {node.start_mark.line + 1} on)"
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file's mapping; raises `UserError` for what is not YAML, not a mapping, or has a key twice."""
    try:
        with open(path, "rb") as stream:
            content = yaml.load(stream, _StrictLoader)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: found {type(content).__name__}, allowed: keys with values")
    return content


def load(given: Mapping[str, Any], files: Iterable[str | Path], default: str | Path) -> Settings:
    """The settings of a run: what was given, on top of the default configuration if it names no studies.

    `files` are those that `given` was read from; they are read again to find keys that stand twice.
    """
    for file in files:
        read_yaml(file)
    return parse(given if "studies" in given else _merged(read_yaml(default), given))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above`, and what only `below` has, at every level."""
    merged = dict(below)
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        merged[key] = _merged(below[key], value) if nested else value
    return merged


def parse(config: Mapping[str, Any]) -> Settings:
    """The settings of a configuration; raises `UserError` with the key, what was found and what is allowed."""
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        details = error.errors()
        # A wrong value that many variants share is told once.
        shared = [detail for detail in details if detail["loc"] in {(key,) for key, _ in SHARED.values()}]
        raise UserError("; ".join(_explain(detail) for detail in (shared or details)[:5])) from None


# Where pydantic puts a union's tag, or a field of ours, into the path of a key that the YAML has without it.
_NOT_IN_YAML = {"preprocess": (2, 4), "decompositions": (2,), "clusterers": (2,), "studies": (4,)}


_ALLOWED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "a text",
    "string_pattern_mismatch": "what matches {pattern}",
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "keys with values"),
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "{min_length} or more entries",
    "too_long": "{max_length} entries at most",
}
"""What is allowed, by pydantic's kinds of mistakes."""


def _explain(detail: Any) -> str:
    """A mistake as pydantic reports it, in one line of ours."""
    location = detail["loc"]
    hidden = _NOT_IN_YAML.get(location[0], ()) if location else ()
    keys = [str(part) for place, part in enumerate(location) if place not in hidden and part != "[key]"]
    if detail["type"].startswith("union_tag"):
        keys.append(detail["ctx"]["discriminator"].strip("'"))
    return ": ".join(["config", *([".".join(keys)] if keys else []), mistake(detail)])


def mistake(detail: Any) -> str:
    """What was found and what is allowed, of a mistake as pydantic reports it."""
    kind, context = detail["type"], detail.get("ctx", {})
    found = context.get("tag", detail["input"])
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("missing", "union_tag_not_found"):
        return "missing"
    if kind in ("literal_error", "union_tag_invalid"):
        return found_allowed(found, re.findall("'([^']+)'", context.get("expected") or context["expected_tags"]))
    return f"found {found!r}, allowed: {_ALLOWED[kind].format(**context) if kind in _ALLOWED else detail['msg']}"


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, for editors and for `config/config.schema.json`."""
    described = Settings.model_json_schema()
    of_variants = {key for _, key in SHARED.values()}
    for model in (Backbone, KMeans, MiniBatchKMeans):  # what `_shared_values` fills in may be left out
        definition = described["$defs"][model.__name__]
        definition["required"] = [key for key in definition["required"] if key not in of_variants]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
