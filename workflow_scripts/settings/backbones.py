"""The settings of backbones: frozen networks, descriptors without weights, features of other programs, and features of
several backbones joined."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag, field_validator, model_validator

from workflow_scripts.backbones.brought_width import ASSUMED_WIDTH, TABLES, brought_width
from workflow_scripts.backbones.family import family_of, layer_width, resolve_node, unknown_layer
from workflow_scripts.backbones.layers import parse_layer, parts_of
from workflow_scripts.backbones.weight_names import RANDOM, is_published, weight_file
from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import LARGEST_SIDE, Model, Name, Seed, UserPath

Scale = Annotated[float, Field(gt=0, le=1)]
ARCHITECTURES = {
    "alexnet": "krizhevsky2014",
    "convnext": "liu2022",
    "densenet": "huang2017",
    "efficientnet": "tan2019",
    "tf_efficientnet": "tan2019",
    "inception_v3": "szegedy2016",
    "mobilenet_v2": "sandler2018",
    "resnet": "he2016",
    "squeezenet": "iandola2016",
    "vgg": "simonyan2015",
    "vit": "dosovitskiy2021",
}
"""The source of an architecture, by the beginning of the names of its networks."""
SIDES = (96, 224)
"""Two sides of images, pixels, at which the numbers of features are compared."""
CLASSES = 1000
"""The number of classes of ImageNet-1k, whose networks have as many outputs."""


class FineTuning(Model):
    """Training of the network on the labelled images before it is frozen. A part of the images is held out."""

    preprocess: Name
    """The preprocessing variant whose images the network is trained on."""
    trained: Literal["head", "all"] | Annotated[int, Field(ge=1)] = "head"
    """The layers that are trained: the last one, the last one and so many blocks before it, or all."""
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    test_fraction: float = Field(0.2, gt=0, lt=1)
    seed: Seed = 0

    @property
    def trained_in_words(self) -> str:
        """Return the trained layers in words."""
        before = "the last layer and the block before it"
        words: dict[str | int, str] = {"head": "the last layer", "all": "all layers", 1: before}
        return words.get(self.trained, f"the last layer and the {self.trained} blocks before it")


class _Variant(Model):
    """Base class of the settings of all kinds of backbones."""

    makes_features: ClassVar[str] = "features"
    """The name of the job that makes the features."""
    in_prose: ClassVar[str] = ""
    """The backbone in a methods paragraph, as for methods (`methods.Method.in_prose`)."""

    @property
    def joined(self) -> Mapping[str, str]:
        """Return the layer of each backbone, by its name, whose features are joined; empty for other backbones."""
        return {}

    @property
    def places_new_images(self) -> bool:
        """Return whether features can be computed for new images, as a model for new images has to."""
        return True

    def known_width(self, layer: str) -> int | None:
        """Return the number of features of a layer if it is known and the same for images of all sizes, or None."""
        widths = {self.width(layer, side) for side in SIDES}  # type: ignore[attr-defined]
        return widths.pop() if len(widths) == 1 else None

    def find_parts(self, key: str, backbones: Mapping[str, "Backbone"]) -> None:
        """Take the settings of the backbones that are joined from `backbones`, which are all by name.

        Raises `ValueError` with the `key` of this backbone if one of them or its layer does not exist.
        """

    @property
    def prose(self) -> str:
        """Return the backbone as a noun phrase for a methods paragraph, with its sources."""
        return self.in_prose.format(**self.dump())

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features are computed from, a smaller one by its area."""
        return 1

    def pass_of(self, layer: str) -> int | None:
        """Return the index of the forward pass that makes `layer`, from 0."""
        return next((number for number, layers in enumerate(self.layers) if layer in layers), None)  # type: ignore[attr-defined]

    def layers_beside(self, layer: str) -> list[str]:
        """Return the layers that are made by the passes that make `layer`, with `layer` itself.

        For a joined layer such as `a+b` these are the passes that make its parts.
        """
        joined = [layer] if len(parts_of(layer)) > 1 else []
        passes = [layers for layers in self.layers if set(layers) & set(parts_of(layer))]  # type: ignore[attr-defined]
        return joined + [beside for layers in passes for beside in layers]

    def class_scores_beside(self, layer: str) -> str | None:
        """Return the layer with a score for each class of ImageNet-1k that the passes of `layer` make, or None."""
        return None


class _OfImages(_Variant):
    """Base class of the settings of backbones that compute features from images."""

    orbit: bool = False
    """Whether the features of an image are the mean over its eight rotations and flips, which takes eight times as
    long."""

    @property
    def prose(self) -> str:
        return super().prose + self.averaging

    @property
    def averaging(self) -> str:
        """Return the views of an image that features are averaged over, as the end of `prose`; empty for one view."""
        return ", averaged over the eight rotations and flips of an image" if self.orbit else ""

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features are computed from."""
        return 8 if self.orbit else 1

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return a message if `orbit` is set and images of `size` (height, width; pixels) are not square, or None."""
        if not self.orbit or size[0] == size[1]:
            return None
        return f"orbit turns square images, found {size[0]} x {size[1]}; a size, or resize in the preprocessing, helps"


class Network(_OfImages):
    """A frozen network, its weights, and the layers whose outputs are the features."""

    model: str
    """The name of a classification model of torchvision, or `timm:NAME` for a model of timm."""
    weights: str
    """`default` (the weights that the library recommends), the name of one of torchvision's weight sets, a file (.pth,
    .pt, .tar, .bin, .ckpt, .safetensors, Keras .h5), `package:NAME/PATH` for a file in an installed package,
    `hf-hub:OWNER/NAME` for a repository, `random`, or `none`. The default is the configuration's `weights`."""
    sha256: str | None = Field(None, pattern="^[0-9A-Fa-f]{64}$")
    """The SHA-256 that the weight file must have; null does not check it."""
    seed: Seed = 0
    """Seed of random weights, and of codebooks."""
    normalise: Literal["auto", "imagenet", "caffe", "symmetric", "lite"] = "auto"
    """How pixels are scaled before the network; `auto` takes what the weights were trained with."""
    size: int | None = Field(None, ge=16, le=LARGEST_SIDE)
    """Side, in pixels, to which images are resized before the network; null does not resize them."""
    batch_size: int | None = Field(None, ge=1)
    """Images per batch; null takes the device's default. Another value changes the last bits of the features."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    pyramid: list[Scale] = Field([1.0], min_length=1)
    """Sizes of an image, as shares of its own, at which the network sees it, such as [1, 0.7, 0.5]. The features are
    the mean over them, so layers must be pooled. The widths and the memory are those of the largest size."""
    finetune: FineTuning | None = None
    layers: list[list[str]] = Field(min_length=1)
    """The forward passes, each a list of layers that are read in it. `[a+b]` joins two layers of other passes, each
    divided by the square root of its total variance."""

    @model_validator(mode="after")
    def _each_layer_once(self) -> "Network":
        flat = [layer for layers in self.layers for layer in layers]
        if not flat or not all(self.layers):
            raise ValueError("layers: found an empty pass")
        twice = sorted({layer for layer in flat if flat.count(layer) > 1})
        if twice:
            raise ValueError(f"layers: {', '.join(twice)} is in two passes; name it in one")
        for layer in flat:
            if len(parts := parts_of(layer)) > 1:
                self._check_joined(layer, parts, flat)
            elif trouble := unknown_layer(self.model, layer):
                raise ValueError(trouble)
        return self

    @model_validator(mode="after")
    def _weights_exist(self) -> "Network":
        family, name = family_of(self.model)
        if is_published(self.weights) and (trouble := family.unknown_weights(name, self.weights)):
            raise ValueError(trouble)
        return self

    def _check_joined(self, layer: str, parts: list[str], flat: list[str]) -> None:
        if lacking := [part for part in parts if part not in flat]:
            raise ValueError(f"layers: {layer} joins {lacking[0] or 'nothing'!r}, which is in no pass; name it in one")
        if [layer] not in self.layers:
            raise ValueError(f"layers: {layer} is beside other layers, allowed: a list of its own, [{layer}]")

    @property
    def prose(self) -> str:
        family, name = family_of(self.model)
        tuned = self.finetune and (
            f" after training of {self.finetune.trained_in_words} on the labelled images, {self.finetune.epochs} epochs"
        )
        source = next((f" [@{key}]" for beginning, key in ARCHITECTURES.items() if name.startswith(beginning)), "")
        kind = f"a network of {family.in_prose} run with PyTorch [@paszke2019]{tuned or ''}"
        return f"{name}{source}, {kind}{self.averaging}"

    @property
    def averaging(self) -> str:
        if self.pyramid == [1.0]:
            return super().averaging
        scales = " and ".join(", ".join(f"{scale:g}" for scale in self.pyramid).rsplit(", ", 1))
        return f"{super().averaging or ', averaged over copies of an image'} at {scales} of its size"

    def network(self) -> dict[str, Any]:
        """Return the settings that decide the frozen network and its input, without layers and fine-tuning."""
        return self.dump(exclude={"layers", "finetune"})

    @property
    def weight_file(self) -> str | None:
        """Return the path of the file that `weights` names, or None if `weights` is something else."""
        path = weight_file(self.weights)
        return None if path is None else str(path)

    @property
    def licence(self) -> str | None:
        """Return the licence of published weights that the library states; None if it is not known."""
        family, name = family_of(self.model)
        return family.licence(name, self.weights) if is_published(self.weights) else None

    def class_scores_beside(self, layer: str) -> str | None:
        """Return the last layer of the network if it has 1000 outputs, is not pooled, and was trained; otherwise None.

        Only a layer that the passes of `layer` make is returned, so that no pass is made for it alone.
        """
        if self.finetune or self.weights == RANDOM:
            return None
        beside = [name for name in self.layers_beside(layer) if len(parts_of(name)) == 1]
        return next((name for name in beside if self._scores_imagenet(name)), None)

    def _scores_imagenet(self, layer: str) -> bool:
        last = resolve_node(self.model, "logits")
        return resolve_node(self.model, parse_layer(layer).node) == last and layer_width(self.model, layer) == CLASSES

    def width(self, layer: str, side: int) -> int:
        """Return the number of features of a layer for one image of `side` x `side` pixels."""
        return sum(layer_width(self.model, part, side) for part in parts_of(layer))

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return the reason why the network cannot take images of `size` (height, width; pixels), or None if it can."""
        family, name = family_of(self.model)
        given = (self.size, self.size) if self.size else size
        sizes = [(round(given[0] * scale), round(given[1] * scale)) for scale in self.pyramid]
        if len(set(sizes)) > 1 and family.built_for_size(name):
            return f"pyramid: {self.model} is built for images of one size; allowed: [1], or a convolutional network"
        refused = super().refuses(given) or next(filter(None, (family.refuses_size(name, at) for at in sizes)), None)
        return refused or self._refuses_scales([max(at) for at in sizes])

    def _refuses_scales(self, sides: Sequence[int]) -> str | None:
        """Return a message if a layer has not the same number of features for images of all `sides`, or None."""
        for layer in (layer for layers in self.layers for layer in layers):
            if len({self.width(layer, side) for side in sides}) > 1:
                return f"pyramid: {layer} has another number of features at each scale; pool it, as by {layer}_avg"
        return None

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features are computed from, a smaller one by its area."""
        return super().n_views * sum(scale**2 for scale in self.pyramid)


class _WithoutNetwork(_Variant):
    """Base class of the settings of backbones that are not networks: they have one layer, `features`, and no
    weights."""

    layers: ClassVar[list[list[str]]] = [["features"]]
    finetune: ClassVar[None] = None
    weights: ClassVar[None] = None
    weight_file: ClassVar[None] = None
    licence: ClassVar[None] = None
    size: ClassVar[None] = None
    batch_size: ClassVar[None] = None

    @property
    def model(self) -> str:
        """Return the name in messages: that of the descriptor, or the path of the file."""
        return str(getattr(self, "descriptor", getattr(self, "file", "")))

    def network(self) -> dict[str, Any]:
        """Return the settings that decide the features."""
        return self.dump()

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return None, because images of every size can be taken."""
        return None


class Descriptor(_OfImages, _WithoutNetwork):
    """Base class of the settings of descriptors, which scikit-image computes from grey levels or colours."""

    makes_features: ClassVar[str] = "describe"


class Pixels(Descriptor):
    """The pixels themselves, downsampled to a square with anti-aliasing."""

    in_prose = "the pixels downsampled to {side} × {side}"
    descriptor: Literal["pixels"]
    side: int = Field(16, ge=1)
    """Side of the square, pixels."""
    colour: bool = False
    """Whether to take red, green and blue instead of the luminance."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of values of one image."""
        return self.side**2 * (3 if self.colour else 1)


class Histogram(Descriptor):
    """The histogram of intensities (Swain & Ballard 1991)."""

    in_prose = "histograms of intensities [@swain1991] with {bins} bins"
    descriptor: Literal["histogram"]
    bins: int = Field(64, ge=2)
    """Number of bins."""
    colour: bool = False
    """Whether to compute a histogram each of red, green and blue instead of one of the luminance."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of bins."""
        return self.bins * (3 if self.colour else 1)


class Lbp(Descriptor):
    """Histograms of local binary patterns, uniform and rotation-invariant (Ojala, Pietikäinen & Mäenpää 2002). A circle
    of radius r has 8 r points."""

    in_prose = "uniform rotation-invariant local binary patterns [@ojala2002]"
    descriptor: Literal["lbp"]
    radii: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 3], min_length=1)
    """Radii of the circles, pixels."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of patterns."""
        return sum(8 * radius + 2 for radius in self.radii)


class Glcm(Descriptor):
    """The mean and range over four directions of six properties of grey-level co-occurrence (Haralick et al. 1973)."""

    in_prose = "properties of grey-level co-occurrence [@haralick1973] at {levels} grey levels"
    descriptor: Literal["glcm"]
    distances: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 4], min_length=1)
    """Distances of the pairs of pixels, pixels."""
    levels: int = Field(32, ge=2, le=256)
    """Number of grey levels to which the image is reduced."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of values of one image."""
        return 12 * len(self.distances)


class Hog(Descriptor):
    """Histograms of oriented gradients in blocks of 2 x 2 cells (Dalal & Triggs 2005)."""

    in_prose = "histograms of oriented gradients [@dalal2005] in cells of {cell} pixels"
    descriptor: Literal["hog"]
    cell: int = Field(32, ge=4)
    """Side of a cell, pixels."""
    orientations: int = Field(9, ge=2)
    """Number of bins for the direction of the gradient."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of features of an image of `side` x `side` pixels."""
        return (side // self.cell - 1) ** 2 * 4 * self.orientations

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return a message if images of `size` (height, width; pixels) hold no block of 2 x 2 cells, otherwise None."""
        if min(size) >= 2 * self.cell:
            return super().refuses(size)
        return f"hog needs images of {2 * self.cell} pixels (2 cells), found {size[0]} x {size[1]}; make cell smaller"


class Gabor(Descriptor):
    """The mean and standard deviation of the responses to a bank of Gabor filters (Manjunath & Ma 1996)."""

    in_prose = "responses to a bank of {scales} × {orientations} Gabor filters [@manjunath1996]"
    descriptor: Literal["gabor"]
    scales: int = Field(4, ge=1)
    """Number of frequencies of the filters."""
    orientations: int = Field(6, ge=2)
    """Number of directions of the filters."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of values of one image."""
        return 2 * self.scales * self.orientations


class Brought(_WithoutNetwork):
    """Features of another program, in a table with a row for each image. Rows are matched to the images by path, file
    name or hash of the content."""

    makes_features: ClassVar[str] = "bring"
    in_prose = "features of another program"
    file: UserPath
    """The table: .npz or .h5 with an array of numbers and an array of names, or .csv or .parquet with a column of
    names."""

    @field_validator("file")
    @classmethod
    def _is_a_table(cls, file: str) -> str:
        if not file.endswith(TABLES):
            raise ValueError(f"found {file!r}, allowed: a file that ends in {', '.join(TABLES)}")
        return file

    def width(self, layer: str, side: int) -> int:
        """Return the number of columns of numbers; for formats that the standard library cannot read, 2048."""
        return brought_width(self.file) or ASSUMED_WIDTH

    def known_width(self, layer: str) -> int | None:
        return brought_width(self.file)

    @property
    def places_new_images(self) -> bool:
        return False


class Joined(_WithoutNetwork):
    """The features of several backbones side by side, those of each divided by the square root of their total
    variance. They are joined from the features of these backbones, without another pass over the images."""

    makes_features: ClassVar[str] = "join"
    join: dict[Name, str] = Field(min_length=2)
    """The names of two or more backbones, each with one of its layers (`features`, if it is no network)."""
    _parts: dict[str, "Backbone"] = PrivateAttr(default_factory=dict)

    @property
    def joined(self) -> Mapping[str, str]:
        return self.join

    def find_parts(self, key: str, backbones: Mapping[str, "Backbone"]) -> None:
        allowed = [name for name, backbone in backbones.items() if not backbone.joined]
        for name, layer in self.join.items():
            if name not in allowed:
                raise ValueError(f"{key}.join: {found_allowed(name, allowed)}")
            layers = [of_pass for passes in backbones[name].layers for of_pass in passes]
            if layer not in layers:
                raise ValueError(f"{key}.join.{name}: {found_allowed(layer, layers)}")
            self._parts[name] = backbones[name]

    @property
    def model(self) -> str:
        """Return the names of the backbones that are joined."""
        return " + ".join(self.join)

    @property
    def prose(self) -> str:
        *others, last = (f"{layer} of {name}" for name, layer in self.join.items())
        return f"joining {', '.join(others)} and {last}, each divided by the square root of its total variance"

    @property
    def n_views(self) -> float:
        """Return the number of views of an image that features of all parts are computed from."""
        return sum(part.n_views for part in self._parts.values())

    @property
    def places_new_images(self) -> bool:
        return all(part.places_new_images for part in self._parts.values())

    def width(self, layer: str, side: int) -> int:
        """Return the number of features of all parts for one image of `side` x `side` pixels."""
        return sum(part.width(self.join[name], part.size or side) for name, part in self._parts.items())

    def known_width(self, layer: str) -> int | None:
        widths = [part.known_width(self.join[name]) for name, part in self._parts.items()]
        return None if None in widths else sum(filter(None, widths))


DESCRIPTORS: dict[str, type[Descriptor]] = {
    get_args(model.model_fields["descriptor"].annotation)[0]: model for model in Descriptor.__subclasses__()
}
"""The settings of each descriptor, by name."""
KINDS: dict[str, type[Model]] = {"file": Brought, "join": Joined}
"""The settings of the backbones that are neither networks nor descriptors, by the key that only they have."""


def kind_of(given: Any) -> str:
    """Return the kind of a backbone's settings: `network`, `file`, `join`, or the name of a descriptor."""
    keys = vars(given) if isinstance(given, Model) else given if isinstance(given, Mapping) else {}
    return str(keys["descriptor"]) if "descriptor" in keys else next((key for key in KINDS if key in keys), "network")


def settings_model(given: Any) -> type[Model]:
    """Return the settings model of a backbone; that of networks if its kind is not known."""
    return {**KINDS, **DESCRIPTORS}.get(kind_of(given), Network)


def _known_descriptor(given: Any) -> Any:
    if isinstance(given, Mapping) and "descriptor" in given and given["descriptor"] not in DESCRIPTORS:
        raise ValueError(f"descriptor: {found_allowed(given['descriptor'], DESCRIPTORS)}")
    return given


Backbone = Annotated[
    Annotated[Network, Tag("network")]
    | Annotated[Brought, Tag("file")]
    | Annotated[Joined, Tag("join")]
    | Annotated[Pixels, Tag("pixels")]
    | Annotated[Histogram, Tag("histogram")]
    | Annotated[Lbp, Tag("lbp")]
    | Annotated[Glcm, Tag("glcm")]
    | Annotated[Hog, Tag("hog")]
    | Annotated[Gabor, Tag("gabor")],
    Discriminator(kind_of),
    BeforeValidator(_known_descriptor),
]
"""The settings of a backbone: of a network, a descriptor, the features of another program, or joined features."""
