"""List the reasons why a file is not taken into the data set."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum


class Reason(StrEnum):
    """The reasons why a file is not taken into the data set."""

    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    NOT_AN_IMAGE = "not an image"
    PDF = "format PDF is not read"
    DJVU = "format DJVU is not read"
    HEIC = "format HEIC is not read"
    AVIF = "format AVIF is not read"
    CZI = "format CZI is not read"
    FITS = "format FITS is not read"
    PSD = "format PSD is not read"
    DM3 = "format DM3 is not read"
    DM4 = "format DM4 is not read"
    TOO_SMALL = "too small"
    NO_SCALE = "no scale"
    NO_BOX = "no box"
    BOX = "box that does not fit"
    TOO_LARGE = "too large"
    NOT_FINITE = "not finite"
    UNIFORM = "uniform"
    PICKED = "set aside by hand"
    MASK = "mask"
    DUPLICATE = "duplicate content"
    SAME_PIXELS = "duplicate pixels"
    NEAR = "near-duplicate"
    CONFLICT = "duplicate with another label"


class ImageRejected(Exception):  # noqa: N818 - an outcome, not a failure
    """Raised for a file that is not taken into the data set, with the reason, details, and the format if known."""

    def __init__(self, reason: Reason, detail: str, format: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = " ".join(detail.split())
        self.format = format

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def count_reasons(reasons: Iterable[str]) -> str:
    """Return the number of each reason as a text, such as `1 not an image, 2 truncated`."""
    counts = Counter(reasons)
    return ", ".join(f"{counts[reason]} {reason}" for reason in sorted(counts))
