"""The images that a name in a table may mean.

Rules import this module, so it uses the standard library only.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

_PART = re.compile(r"(#(page|xywh)=[^/]*|(?<=^[0-9a-f]{16})(-\d+){5,6})$")
"""What the path or the id of a part of a file has behind those of the file (see `regions`)."""


def is_of_part(name: str) -> bool:
    """Return whether a path or an id is that of a part of a file."""
    return bool(_PART.search(name))


def file_of(name: str) -> str:
    """Return the path or the id of the file that a part belongs to; those of files as they are."""
    return _PART.sub("", name)


class ImageIndex:
    """An index of the images by every name that a row may use: id, path or end of the path, with or without
    extension."""

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
        """Return the paths of the images that a name may mean; a match of the whole path is preferred.

        The name is an end of the path, or the path an end of the name: `b/1.png` is not `a/1.png`.
        """
        key = composed(name.strip().replace("\\", "/"))
        if key in self._paths:
            return self._paths[key]
        whole, *ends = ends_of(key)
        return self._by_name.get(whole) or next((self._whole[end] for end in ends if end in self._whole), set())

    def of_files(self) -> "ImageIndex":
        """Return the index of the files that images are parts of; itself if none is a part."""
        if not any(map(is_of_part, self._images)):
            return self
        return ImageIndex({file_of(path): file_of(image_id) for path, image_id in self._images.items()})

    def moved(self, image_id: str) -> set[str]:
        """Return the path of the image with an id; none if several have the same content."""
        paths = self._by_id.get(image_id, set())
        return paths if len(paths) == 1 else set()


def composed(name: str) -> str:
    """Return the name with composed letters (Unicode NFC), because macOS writes letters and accents separately."""
    return unicodedata.normalize("NFC", name)


def ends_of(path: str) -> Iterable[str]:
    """Return all ends of a path: `a/b/c`, `b/c` and `c` for `a/b/c`."""
    parts = path.removeprefix("./").split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
