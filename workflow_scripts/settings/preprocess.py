"""The steps of preprocessing, and a variant: an ordered list of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import Model

Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class Grey(Model):
    """Luminance (skimage.color.rgb2gray)."""

    step: Literal["grey"] = "grey"


class Colour(Model):
    """Three channels (skimage.color.gray2rgb)."""

    step: Literal["colour"] = "colour"


class CropDataBar(Model):
    """The picture without a microscope's data stripe at its lower or upper edge; first of the steps."""

    step: Literal["crop_data_bar"] = "crop_data_bar"


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
    for model in (CropDataBar, Grey, Colour, Clahe, RankEqualise, Resize, CentreCrop, RescaleIntensity)
}


class Preprocess(Model):
    """An ordered list of steps, each a name or a name with its parameters."""

    steps: list[
        Annotated[
            CropDataBar | Grey | Colour | Clahe | RankEqualise | Resize | CentreCrop | RescaleIntensity,
            Field(discriminator="step"),
        ]
    ]

    @model_validator(mode="before")
    @classmethod
    def _named_steps(cls, given: Any) -> Any:
        if not isinstance(given, list):
            raise ValueError(f"found {given!r}, allowed: a list of steps ({', '.join(STEPS)})")
        return {"steps": [_named_step(step) for step in given]}

    @model_validator(mode="after")
    def _data_bar_first(self) -> "Preprocess":
        if any(isinstance(step, CropDataBar) for step in self.steps[1:]):
            raise ValueError("crop_data_bar: found behind another step, allowed: first, while the stripe is as it was")
        return self

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
