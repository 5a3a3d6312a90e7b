"""What makes features: frozen networks, descriptors without weights, other programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from workflow_scripts.backbones.brought_width import ASSUMED_WIDTH, TABLES, brought_width
from workflow_scripts.backbones.family import family_of, layer_width, unknown_layer
from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.backbones.weight_names import weight_file
from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import Model, Name


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


class _Variant(Model):
    """What the workflow asks of every kind of backbone, besides `width` and `refuses`."""

    makes_features: ClassVar[str] = "features"
    """The job that does."""
    places_new_images: ClassVar[bool] = True
    """Whether features of images that were not there can be made, so that a model can be."""

    def pass_of(self, layer: str) -> int | None:
        """Return the index of the forward pass that makes `layer`, from 0."""
        return next((number for number, layers in enumerate(self.layers) if layer in layers), None)  # type: ignore[attr-defined]

    def layers_beside(self, layer: str) -> list[str]:
        """Return the layers that come from one pass with `layer`, which is among them, or with what it joins."""
        joined = [layer] if len(parts_of(layer)) > 1 else []
        passes = [layers for layers in self.layers if set(layers) & set(parts_of(layer))]  # type: ignore[attr-defined]
        return joined + [beside for layers in passes for beside in layers]


class _OfImages(_Variant):
    """What the workflow asks of a backbone that sees the images."""

    orbit: bool = False
    """Whether features are the mean of those of the eight rotations and flips of an image: eight times the time."""

    @property
    def n_views(self) -> int:
        """Return how many views of an image features are computed of."""
        return 8 if self.orbit else 1

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return that the orbit takes no images of `size` (height, width; pixels), or None."""
        if not self.orbit or size[0] == size[1]:
            return None
        return f"orbit turns square images, found {size[0]} x {size[1]}; a size, or resize in the preprocessing, helps"


class Network(_OfImages):
    """A frozen network, its weights, and the layers that are read from it."""

    model: str
    """A classification model of torchvision, or `timm:NAME`."""
    weights: str
    """`default` (the library's), the name of one of torchvision's weight sets, a file (.pth, .pt, .tar, .bin, .ckpt,
    .safetensors, Keras .h5), `package:NAME/path/inside` an installed package, `hf-hub:OWNER/NAME` a repository,
    `random`, or `none`; left out, the configuration's `weights`."""
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
    """The passes; layers of one inner list come from one forward pass. `[a+b]` joins two layers of other passes, each
    divided by the root of its total variance."""

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

    def _check_joined(self, layer: str, parts: list[str], flat: list[str]) -> None:
        if lacking := [part for part in parts if part not in flat]:
            raise ValueError(f"layers: {layer} joins {lacking[0] or 'nothing'!r}, which is in no pass; name it in one")
        if [layer] not in self.layers:
            raise ValueError(f"layers: {layer} is beside other layers, allowed: a list of its own, [{layer}]")

    def network(self) -> dict[str, Any]:
        """Return the settings that decide the frozen network and its input: all but layers and fine-tuning."""
        return self.dump(exclude={"layers", "finetune"})

    @property
    def weight_file(self) -> str | None:
        """The file that `weights` names, if it does."""
        path = weight_file(self.weights)
        return None if path is None else str(path)

    def width(self, layer: str, side: int) -> int:
        """Return how many numbers a layer gives for one image of `side` pixels."""
        return sum(layer_width(self.model, part, side) for part in parts_of(layer))

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return why the network takes no images of `size` (height, width; pixels), or None."""
        family, name = family_of(self.model)
        given = (self.size, self.size) if self.size else size
        return super().refuses(given) or family.refuses_size(name, given)


class _WithoutNetwork(_Variant):
    """Features that no network makes: one layer, `features`, without weights."""

    layers: ClassVar[list[list[str]]] = [["features"]]
    finetune: ClassVar[None] = None
    weights: ClassVar[None] = None
    weight_file: ClassVar[None] = None
    size: ClassVar[None] = None
    batch_size: ClassVar[None] = None

    @property
    def model(self) -> str:
        """The name that messages give it."""
        return str(getattr(self, "descriptor", getattr(self, "file", "")))

    def network(self) -> dict[str, Any]:
        """Return what decides the features."""
        return self.dump()

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return None: images of every size are taken."""
        return None


class Descriptor(_OfImages, _WithoutNetwork):
    """A descriptor computed by scikit-image from grey levels or colours; the baseline for every network."""

    makes_features: ClassVar[str] = "describe"


class Pixels(Descriptor):
    """The pixels themselves, downsampled with anti-aliasing to a square."""

    descriptor: Literal["pixels"]
    side: int = Field(16, ge=1)
    """Pixels of the square's side."""
    colour: bool = False
    """Red, green and blue instead of the luminance."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of values."""
        return self.side**2 * (3 if self.colour else 1)


class Histogram(Descriptor):
    """Histogram of intensities (Swain & Ballard 1991)."""

    descriptor: Literal["histogram"]
    bins: int = Field(64, ge=2)
    colour: bool = False
    """One histogram each of red, green and blue instead of one of the luminance."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of bins."""
        return self.bins * (3 if self.colour else 1)


class Lbp(Descriptor):
    """Local binary patterns, uniform and rotation-invariant (Ojala, Pietikäinen & Mäenpää 2002).

    A circle has 8 points for each pixel of the radius.
    """

    descriptor: Literal["lbp"]
    radii: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 3], min_length=1)
    """Pixels."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of patterns."""
        return sum(8 * radius + 2 for radius in self.radii)


class Glcm(Descriptor):
    """Six properties of grey-level co-occurrence, mean and range over four directions (Haralick et al. 1973)."""

    descriptor: Literal["glcm"]
    distances: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 4], min_length=1)
    """Pixels."""
    levels: int = Field(32, ge=2, le=256)
    """Grey levels that are told apart."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of values."""
        return 12 * len(self.distances)


class Hog(Descriptor):
    """Histograms of oriented gradients in blocks of 2 x 2 cells (Dalal & Triggs 2005)."""

    descriptor: Literal["hog"]
    cell: int = Field(32, ge=4)
    """Pixels of a cell's side."""
    orientations: int = Field(9, ge=2)

    def width(self, layer: str, side: int) -> int:
        """Return the number of features of an image of `side` x `side` pixels."""
        return (side // self.cell - 1) ** 2 * 4 * self.orientations

    def refuses(self, size: tuple[int, int]) -> str | None:
        """Return that an image holds no block of two by two cells, if so."""
        if min(size) >= 2 * self.cell:
            return super().refuses(size)
        return f"hog needs images of {2 * self.cell} pixels (2 cells), found {size[0]} x {size[1]}; cell: less"


class Gabor(Descriptor):
    """Mean and standard deviation of the responses to a bank of Gabor filters (Manjunath & Ma 1996)."""

    descriptor: Literal["gabor"]
    scales: int = Field(4, ge=1)
    orientations: int = Field(6, ge=2)

    def width(self, layer: str, side: int) -> int:
        """Return the number of values."""
        return 2 * self.scales * self.orientations


class Brought(_WithoutNetwork):
    """Features of another program, a row an image, matched to the images by path, name or content hash."""

    makes_features: ClassVar[str] = "bring"
    places_new_images: ClassVar[bool] = False
    file: str
    """A table: .npz or .h5 with arrays of numbers and of names, .csv or .parquet with a column of names."""

    @field_validator("file")
    @classmethod
    def _is_a_table(cls, file: str) -> str:
        if not file.endswith(TABLES):
            raise ValueError(f"found {file!r}, allowed: a file that ends in {', '.join(TABLES)}")
        return str(Path(file).expanduser())

    def width(self, layer: str, side: int) -> int:
        """Return the number of columns of numbers; 2048 where only a library for the format can tell."""
        return brought_width(self.file) or ASSUMED_WIDTH


DESCRIPTORS: dict[str, type[Descriptor]] = {
    get_args(model.model_fields["descriptor"].annotation)[0]: model for model in Descriptor.__subclasses__()
}
"""The settings of each descriptor, by name."""


def kind_of(given: Any) -> str:
    """Return which model of settings a backbone has: `network`, `file`, or a descriptor's name."""
    if isinstance(given, Model):
        return getattr(given, "descriptor", "file" if isinstance(given, Brought) else "network")
    keys = given if isinstance(given, Mapping) else {}
    return str(keys["descriptor"]) if "descriptor" in keys else "file" if "file" in keys else "network"


def settings_model(given: Any) -> type[Model]:
    """Return the model of a backbone's settings; that of networks for what is none."""
    kind = kind_of(given)
    return Brought if kind == "file" else DESCRIPTORS.get(kind, Network)


def _known_descriptor(given: Any) -> Any:
    if isinstance(given, Mapping) and "descriptor" in given and given["descriptor"] not in DESCRIPTORS:
        raise ValueError(f"descriptor: {found_allowed(given['descriptor'], DESCRIPTORS)}")
    return given


Backbone = Annotated[
    Annotated[Network, Tag("network")]
    | Annotated[Brought, Tag("file")]
    | Annotated[Pixels, Tag("pixels")]
    | Annotated[Histogram, Tag("histogram")]
    | Annotated[Lbp, Tag("lbp")]
    | Annotated[Glcm, Tag("glcm")]
    | Annotated[Hog, Tag("hog")]
    | Annotated[Gabor, Tag("gabor")],
    Discriminator(kind_of),
    BeforeValidator(_known_descriptor),
]
"""What features are made by: a network, a descriptor, or another program."""
