"""The settings of descriptors, which need no neural network."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from workflow_scripts.settings.backbones.base import OfImages, WithoutNetwork


class Descriptor(OfImages, WithoutNetwork):
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
    """Whether to compute one histogram for each of red, green and blue, instead of one of the luminance."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of bins of all histograms of one image."""
        return self.bins * (3 if self.colour else 1)


class Lbp(Descriptor):
    """Histograms of local binary patterns, uniform and rotation-invariant (Ojala, Pietikäinen & Mäenpää 2002). A circle
    of radius r has 8 r points."""

    in_prose = "uniform rotation-invariant local binary patterns [@ojala2002]"
    descriptor: Literal["lbp"]
    radii: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 3], min_length=1)
    """Radii of the circles, pixels."""

    def width(self, layer: str, side: int) -> int:
        """Return the number of patterns of all radii."""
        return sum(8 * radius + 2 for radius in self.radii)


class Glcm(Descriptor):
    """Six properties of grey-level co-occurrence (Haralick et al. 1973), each as its mean and its range over four
    directions."""

    in_prose = "properties of grey-level co-occurrence [@haralick1973] at {levels} grey levels"
    descriptor: Literal["glcm"]
    distances: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 4], min_length=1)
    """Distances between the two pixels of a pair, in pixels."""
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
        """Return a message if images of `size` (height, width; pixels) are too small for a block of 2 x 2 HOG cells, or
        if `orbit` is set and they are not square. Otherwise return None."""
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


DESCRIPTORS: dict[str, type[Descriptor]] = {
    get_args(model.model_fields["descriptor"].annotation)[0]: model for model in Descriptor.__subclasses__()
}
"""The settings model of each descriptor, by name."""
