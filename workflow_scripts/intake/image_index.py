"""Find the images that a name in a table may stand for.

Rules import this module, so it uses the standard library only.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

_PART = re.compile(r"(#(page|xywh)=[^/]*|(?<=^[0-9a-f]{16})(-\d+){5,6})$")
"""The ending that the path or the id of a part of a file (a page, tile or box) has after that of the file (see
`regions`)."""


def is_of_part(name: str) -> bool:
    """Return whether a path or an id is that of a part of a file (a page, tile or box), and not of a whole file."""
    return bool(_PART.search(name))


def file_of(name: str) -> str:
    """Return the path or the id of the file that a part (a page, tile or box) belongs to.

    The path or the id of a whole file is returned unchanged.
    """
    return _PART.sub("", name)


class ImageIndex:
    """An index of images by every name that a table may give them.

    A name is the id, the path, or an end of the path; the extension may be missing. `images` has the id of each image,
    by its path.
    """

    def __init__(self, images: Mapping[str, str]) -> None:
        self._images = images
        self._by_name: defaultdict[str, set[str]] = defaultdict(set)
        self._whole: defaultdict[str, set[str]] = defaultdict(set)
        self._paths: defaultdict[str, set[str]] = defaultdict(set)
        self._by_id: defaultdict[str, set[str]] = defaultdict(set)
        for path, image_id in images.items():
            self._by_id[image_id].add(path)
            self._paths[composed(path)].add(path)
            stem = path if is_of_part(path) else str(PurePosixPath(path).with_suffix(""))
            for name in (image_id, path, stem):
                self._whole[composed(name)].add(path)
            for name in (image_id, *ends_of(path), *ends_of(stem)):
                self._by_name[composed(name)].add(path)

    def images_named(self, name: str) -> set[str]:
        """Return the paths of the images that a name may stand for.

        If the name is the whole path of an image, it stands for this image only. Otherwise it stands for the images
        whose path ends with the name. If there are none, it stands for the images whose whole path is at the end of the
        name. So both `1.png` and `b/a/1.png` may stand for `a/1.png`, but `b/1.png` does not.
        """
        key = composed(name.strip().replace("\\", "/"))
        if key in self._paths:
            return self._paths[key]
        whole, *ends = ends_of(key)
        return self._by_name.get(whole) or next((self._whole[end] for end in ends if end in self._whole), set())

    def of_files(self) -> "ImageIndex":
        """Return an index in which each part of a file is replaced by the file; without parts, this index itself."""
        if not any(map(is_of_part, self._images)):
            return self
        return ImageIndex({file_of(path): file_of(image_id) for path, image_id in self._images.items()})

    def moved(self, image_id: str) -> set[str]:
        """Return the path of the image with this id, in a set. The set is empty if no image has the id, or more than
        one."""
        paths = self._by_id.get(image_id, set())
        return paths if len(paths) == 1 else set()


def composed(name: str) -> str:
    """Return the name with composed letters (Unicode NFC), because macOS writes letters and accents separately."""
    return unicodedata.normalize("NFC", name)


def ends_of(path: str) -> Iterable[str]:
    """Return all ends of a path: `a/b/c`, `b/c` and `c` for `a/b/c`."""
    parts = path.removeprefix("./").split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
