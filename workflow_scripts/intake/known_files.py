"""List the contents and the labels of the files of another data set, without decoding the files."""

from collections.abc import Iterator
from pathlib import Path

from workflow_scripts.intake.known import ID_DIGITS
from workflow_scripts.intake.labels import label_images
from workflow_scripts.intake.listing import scan
from workflow_scripts.io.images import format_of, open_file
from workflow_scripts.io.rejections import ImageRejected
from workflow_scripts.provenance import file_digest


def known_files(folder: str, level: int = -1) -> Iterator[tuple[str, str]]:
    """Yield the start of the SHA-256 and the label of each image file of another data set.

    The label is the name of a folder in the path of the file, and `level` says which one, as in `labels.label_images`.
    Files without a label, and files whose first bytes are not those of an image, are left out.
    """
    paths = {entry.path: "" for entry in scan(folder)}
    for path, label in label_images(paths, "folder", level=level).labels.items():
        if label and _is_image(Path(folder, path)):
            yield file_digest(Path(folder, path))[:ID_DIGITS], label


def _is_image(path: Path) -> bool:
    try:
        with open_file(path) as stream:
            format_of(stream)
    except ImageRejected:
        return False
    return True
