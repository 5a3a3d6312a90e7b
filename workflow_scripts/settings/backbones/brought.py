"""The settings of features of other programs."""

from typing import ClassVar

from pydantic import field_validator

from workflow_scripts.backbones.brought_width import ASSUMED_WIDTH, TABLES, brought_width
from workflow_scripts.settings.backbones.base import WithoutNetwork
from workflow_scripts.settings.base import UserPath


class Brought(WithoutNetwork):
    """Features of another program, in a table with a row for each image. Rows are matched to the images by path, file
    name or hash of the content."""

    makes_features: ClassVar[str] = "bring"
    in_prose = "features of another program"
    file: UserPath
    """The table: .npz or .h5 with an array of features and an array of image names, or .csv or .parquet with a column
    of image names."""

    @field_validator("file")
    @classmethod
    def _is_a_table(cls, file: str) -> str:
        if not file.endswith(TABLES):
            raise ValueError(f"found {file!r}, allowed: a file that ends in {', '.join(TABLES)}")
        return file

    @property
    def feature_file(self) -> str:
        return self.file

    def width(self, layer: str, side: int) -> int:
        """Return the number of features in the table. 2048 is assumed if the standard library cannot read the format of
        the table."""
        return brought_width(self.file) or ASSUMED_WIDTH

    def known_width(self, layer: str) -> int | None:
        return brought_width(self.file)

    @property
    def places_new_images(self) -> bool:
        return False
