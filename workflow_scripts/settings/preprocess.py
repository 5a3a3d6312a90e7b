"""The settings of preprocessing: the steps, and variants, which are lists of steps."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import LARGEST_SIDE, Model
from workflow_scripts.settings.methods import Method

Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Size = tuple[Side, Side]


class Step(Method):
    """Base class of the settings of preprocessing steps. A step's code is the module of the same name in
    `preprocess/`."""

    tag = "step"
    registry: ClassVar[dict[str, type["Step"]]] = {}
    as_taken: ClassVar[bool] = False
    """Whether the step needs the image as it was taken. Only other steps with this trait may come before it."""
    of_whole: ClassVar[bool] = False
    """Whether the step needs whole images, so that it cannot be used with tiles or boxes."""
    channels: ClassVar[int | None] = None
    """Number of channels of every image after the step; None if the step does not change it."""

    @property
    def output_size(self) -> tuple[int, int] | None:
        """Return the height and width (pixels) of every image after the step; None if the images may differ in size."""
        return None


class _Sized(Step):
    size: Size = (224, 224)

    @property
    def output_size(self) -> tuple[int, int]:
        return self.size


class Grey(Step):
    """Converts the image to its luminance (skimage.color.rgb2gray)."""

    channels = 1
    in_prose = "conversion to luminance"
    step: Literal["grey"] = "grey"


class Colour(Step):
    """Converts the image to three channels (skimage.color.gray2rgb)."""

    channels = 3
    in_prose = "conversion to three channels"
    step: Literal["colour"] = "colour"


class CropDataBar(Step):
    """Cuts off a microscope's data stripe at the lower or upper edge; only `depth` may come before it."""

    as_taken = of_whole = True
    in_prose = "removal of the data bar"
    step: Literal["crop_data_bar"] = "crop_data_bar"


class Clahe(Step):
    """Equalises the histogram locally with limited contrast (CLAHE, skimage.exposure.equalize_adapthist)."""

    in_prose = (
        "contrast-limited adaptive histogram equalisation [@zuiderveld1994] (clip limit {clip_limit:g}, {nbins} bins, "
        "regions of {region})"
    )
    step: Literal["clahe"] = "clahe"
    kernel_size: int | None = Field(None, ge=2)
    """Side of the local region, pixels; null takes an eighth of the image's height and width."""
    clip_limit: float = Field(0.01, gt=0, le=1)
    nbins: int = Field(256, ge=2)

    @property
    def prose(self) -> str:
        """Return the sentence `in_prose` with the settings and the size of the local regions filled in."""
        region = f"{self.kernel_size} pixels" if self.kernel_size else "an eighth of each side"
        return self.in_prose.format(**self.dump(), region=region)


class RankEqualise(Step):
    """Equalises the histogram locally in a disk (skimage.filters.rank.equalize)."""

    in_prose = "local histogram equalisation in a disk of radius {radius} pixels"
    step: Literal["rank_equalise"] = "rank_equalise"
    radius: int = Field(30, ge=1)


class Resize(_Sized):
    """Resizes the image by bilinear interpolation (skimage.transform.resize)."""

    in_prose = "bilinear resizing to {size[0]} × {size[1]} pixels{smoothed}{fitted}"
    step: Literal["resize"] = "resize"
    anti_aliasing: bool = True
    fit: Literal["squeeze", "pad", "crop"] = "squeeze"
    """What becomes of an image of another aspect ratio: it is squeezed, padded with its mean value, or only its middle
    is kept. To keep all of it at its own ratio, cut it into tiles: `intake: {tiles: {size: shortest}}`."""

    @property
    def prose(self) -> str:
        """Return the sentence `in_prose` with the settings filled in, among them how images of other aspect ratios are
        fitted."""
        smoothed = " with anti-aliasing" if self.anti_aliasing else " without anti-aliasing"
        fitted = {"squeeze": "", "pad": " and padding with the mean value", "crop": " of the middle of the image"}
        return self.in_prose.format(**self.dump(), smoothed=smoothed, fitted=fitted[self.fit])

    @field_validator("fit", mode="before")
    @classmethod
    def _tiles_are_cut_at_intake(cls, fit: Any) -> Any:
        if fit == "tiles":
            raise ValueError("found 'tiles', allowed: squeeze, pad, crop, or intake: {tiles: {size: shortest}}")
        return fit


class CentreCrop(_Sized):
    """Cuts out the middle of the image."""

    in_prose = "a central crop of {size[0]} × {size[1]} pixels"
    step: Literal["centre_crop"] = "centre_crop"


class Depth(Step):
    """Scales 16-bit images that hold data of fewer bits, such as the 12 bits of a camera: the largest number with
    `bits` bits becomes white. All images are scaled by the same factor. The step must be the first (or follow
    crop_data_bar)."""

    as_taken = True
    in_prose = "scaling of {bits}-bit data to the whole range"
    step: Literal["depth"] = "depth"
    bits: int = Field(12, ge=2, le=15)
    """Number of bits of the data. An image with a value that needs more bits ends the run."""


class RescaleIntensity(Step):
    """Stretches the intensities so that the percentiles `low` and `high` become 0 and 1
    (skimage.exposure.rescale_intensity)."""

    in_prose = "stretching of the intensities between percentiles {low:g} and {high:g}"
    step: Literal["rescale_intensity"] = "rescale_intensity"
    low: float = Field(1, ge=0, lt=100)
    high: float = Field(99, gt=0, le=100)

    @model_validator(mode="after")
    def _low_below_high(self) -> "RescaleIntensity":
        if self.low >= self.high:
            raise ValueError(f"low: found {self.low:g}, allowed: below high, {self.high:g}")
        return self


class Preprocess(Model):
    """An ordered list of steps, each a name or a name with its parameters."""

    steps: list[Step]

    @model_validator(mode="before")
    @classmethod
    def _named_steps(cls, given: Any) -> Any:
        if not isinstance(given, list):
            raise ValueError(f"found {given!r}, allowed: a list of steps ({', '.join(Step.registry)})")
        return {"steps": [_named_step(step) for step in given]}

    @model_validator(mode="after")
    def _as_taken_first(self) -> "Preprocess":
        for before, step in pairwise(self.steps):
            if step.as_taken and not before.as_taken:
                allowed = "only at the beginning, with steps that need the image as it was taken"
                raise ValueError(f"{step.method_name}: found after another step, allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _same_size_for_all(self) -> "Preprocess":
        if not any(step.output_size for step in self.steps):
            raise ValueError("no step gives all images the same size; add resize or centre_crop")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the YAML form: a list of names, or of names with their parameters."""
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
        """Return the height and width (pixels) of every image after the last step."""
        return [step.output_size for step in self.steps if step.output_size][-1]

    @property
    def channels(self) -> int:
        """Return the number of channels of every image after the last step, 1 or 3. If no step sets this number, images
        may differ in it; then the largest, 3, is returned."""
        decided = [step.channels for step in self.steps if step.channels]
        return decided[-1] if decided else 3


def _named_step(given: Any) -> Any:
    name, parameters = next(iter(given.items())) if isinstance(given, Mapping) and len(given) == 1 else (given, {})
    if not isinstance(name, str) or not isinstance(parameters, Mapping):
        raise ValueError(f"found {given!r}, allowed: a step's name, alone or as {{name: {{parameter: value}}}}")
    if name not in Step.registry:
        raise ValueError(found_allowed(name, Step.registry))
    return {**parameters, "step": name}
