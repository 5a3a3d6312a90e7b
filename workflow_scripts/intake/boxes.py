"""Read annotated boxes, that is rectangles with a class on images, in the formats of COCO, YOLO and Pascal VOC.

Rules import this module, so it uses the standard library only.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from workflow_scripts.errors import UserError
from workflow_scripts.intake.image_index import composed, ends_of

FORMATS = "a COCO file (.json), a folder of Pascal VOC files (.xml) or of YOLO files (.txt), or one of these files"
CLASS_FILES = ("classes.txt", "obj.names", "classes.names")
"""Names of files with a class on each line. They are beside YOLO's files or in a folder above."""
IMAGE_FOLDERS, LABEL_FOLDERS = {"images", "jpegimages"}, {"labels", "annotations"}
"""Names of folders of images and of annotations, which are treated as the same folder."""
MOST_DEEP = 2
_NOT_UNDERSTOOD = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""The exceptions that are raised if the content of a file does not fit its format, such as a number of 400 digits."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box on an image, with its four edges and its class (`label`).

    The edges are in pixels, or they are shares (0 to 1) of the image's width and height. `right` and `bottom` are
    excluded.
    """

    left: float
    top: float
    right: float
    bottom: float
    label: str

    def times(self, width: int, height: int) -> "Box":
        """Convert this box, whose edges are shares, into a box in pixels of an image of `width` x `height` pixels."""
        return Box(self.left * width, self.top * height, self.right * width, self.bottom * height, self.label)


@dataclass(frozen=True)
class Annotated:
    """The boxes of one image.

    `size` is the (width, height) of the image that the annotation states, (0, 0) if the annotation states none, or None
    if the edges of the boxes are shares of the sides of the image.
    """

    boxes: tuple[Box, ...]
    size: tuple[int, int] | None

    def in_pixels(self, width: int, height: int) -> list[Box]:
        """Return the boxes in pixels; `width` and `height` are the size of the image in pixels.

        Raises `ValueError` if the annotation states another size of the image.
        """
        if self.size not in (None, (0, 0), (width, height)):
            annotated = "{} x {}".format(*self.size or ())
            raise ValueError(f"its boxes are of {annotated} pixels, the image has {width} x {height}")
        return [box.times(width, height) for box in self.boxes] if self.size is None else list(self.boxes)


@dataclass(frozen=True)
class Boxes:
    """The annotations of images, by the path of the image.

    `source` is the name of the file or folder with the annotations. `unmatched` are the names of annotated images that
    do not exist.
    """

    source: str
    by_path: Mapping[str, Annotated]
    unmatched: tuple[str, ...] = field(default=())

    def label(self, path: str) -> str:
        """Return the class of an image if all its boxes have the same class, otherwise ""."""
        classes = {box.label for box in self.by_path[path].boxes} if path in self.by_path else set()
        return classes.pop() if len(classes) == 1 else ""


def find_boxes(source: str | Path) -> list[str]:
    """Return the paths of annotation files: `source` itself if it is a file, or those in the folder `source`, sorted.

    Raises `UserError` if there are none.
    """
    path = Path(source)
    if path.is_file():
        return [str(path)]
    names = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    for ending in (".xml", ".txt", ".json"):
        if files := [name for name in names if name.endswith(ending) and os.path.basename(name) not in CLASS_FILES]:
            return files
    there = "a folder without any" if path.is_dir() else "nothing"
    raise UserError(f"{source}: found {there}, allowed: {FORMATS}")


def read_boxes(source: str | Path, images: Iterable[str]) -> Boxes:
    """Read the annotations of images; `images` are the paths of the images (with `/`).

    A COCO file contains the names of its images; a Pascal VOC or YOLO file has the name of its image with another
    extension. Folders with names as in `IMAGE_FOLDERS` and `LABEL_FOLDERS` are treated as the same folder. Raises
    `UserError`, with the file, if a file cannot be read or if no annotation belongs to one of the images.
    """
    index = _Index(images)
    by_path: dict[str, Annotated] = {}
    unmatched = []
    for name, one in _read(source, index):
        if path := index.find(name):
            before = by_path.get(path)
            by_path[path] = Annotated(before.boxes + one.boxes, one.size) if before else one
        else:
            unmatched.append(name)
    if not by_path:
        first = f"the first of {len(unmatched)} is {unmatched[0]!r}" if unmatched else "it names none"
        there = min(index.paths, default="none")
        raise UserError(f"{source}: found no annotation of an image here: {first}; allowed: names such as {there!r}")
    return Boxes(Path(source).name, by_path, tuple(unmatched))


def _read(source: str | Path, index: "_Index") -> Iterator[tuple[str, Annotated]]:
    """Yield the name of each annotated image, and its annotation.

    A Pascal VOC or YOLO file of an image that is not in `index` is not read; its annotation has no boxes.
    """
    root = Path(source) if Path(source).is_dir() else Path(source).parent
    class_names = cache(_class_names)
    for file in map(Path, find_boxes(source)):
        try:
            yield from _of_file(file, file.relative_to(root).with_suffix("").as_posix(), index, class_names)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file}: cannot be read ({error}); allowed: {FORMATS}") from None
        except (*_NOT_UNDERSTOOD, ElementTree.ParseError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise UserError(f"{file}: found no boxes that can be read ({reason}); allowed: {FORMATS}") from None


def _of_file(
    file: Path, name: str, index: "_Index", class_names: Callable[[Path], list[str]]
) -> Iterator[tuple[str, Annotated]]:
    kind = file.suffix.lower()
    if kind == ".json":
        yield from _coco(file)
    elif not index.find(name):
        yield name, Annotated((), None)
    elif kind == ".xml":
        yield name, _voc(file)
    else:
        yield name, _yolo(file, class_names(file.parent))


def _coco(file: Path) -> Iterator[tuple[str, Annotated]]:
    given = json.loads(file.read_text(encoding="utf-8-sig"))
    names = {each["id"]: str(each["name"]) for each in given["categories"]}
    of_image: dict[Any, list[Box]] = {each["id"]: [] for each in given["images"]}
    for number, each in enumerate(given["annotations"]):
        if each["image_id"] not in of_image or each["category_id"] not in names:
            raise ValueError(f"annotation {number} names an image or a category that is not in the file")
        if each.get("iscrowd"):
            continue
        x, y, width, height = map(float, each["bbox"])
        of_image[each["image_id"]].append(_box(x, y, x + width, y + height, names[each["category_id"]]))
    for each in given["images"]:
        size = int(each.get("width", 0)), int(each.get("height", 0))
        yield str(each["file_name"]), Annotated(tuple(of_image[each["id"]]), size)


def _voc(file: Path) -> Annotated:
    tree = ElementTree.fromstring(file.read_bytes())
    if tree.tag != "annotation":
        raise ValueError(f"its root is <{tree.tag}>, not <annotation>")
    size = int(tree.findtext("size/width") or 0), int(tree.findtext("size/height") or 0)
    boxes = []
    for thing in tree.iter("object"):
        label, box = thing.findtext("name"), thing.find("bndbox")
        edges = [box.findtext(key) for key in ("xmin", "ymin", "xmax", "ymax")] if box is not None else [None]
        if not label or None in edges:
            raise ValueError("an <object> lacks its <name> or <bndbox>")
        left, top, right, bottom = (float(edge or 0) for edge in edges)
        boxes.append(_box(left - 1, top - 1, right, bottom, label.strip()))  # pixels are counted from 1, both included
    return Annotated(tuple(boxes), size)


def _yolo(file: Path, names: list[str]) -> Annotated:
    boxes = []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        values = line.split()
        if len(values) < 5 or not values[0].isdecimal():
            raise ValueError(f"line {number} is {line[:40]!r}, not a class's number and four shares of the image")
        x, y, width, height = map(float, values[1:5])
        if len(values) > 6:  # not a box, but the corners of an outline
            xs, ys = list(map(float, values[1::2])), list(map(float, values[2::2]))
            edges = min(xs), min(ys), max(xs), max(ys)
        else:
            edges = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        if min(edges) < -0.01 or max(edges) > 1.01:
            raise ValueError(f"line {number} is {line[:40]!r}, with edges that are no shares of the image")
        kind = int(values[0])
        if names and kind >= len(names):
            raise ValueError(f"line {number} has class {kind}, but {len(names)} classes have names")
        boxes.append(_box(*edges, names[kind] if names else str(kind)))
    return Annotated(tuple(boxes), None)


def _box(left: float, top: float, right: float, bottom: float, label: str) -> Box:
    if not (left < right and top < bottom):
        raise ValueError(f"a box of {label!r} from {left:g}, {top:g} to {right:g}, {bottom:g} has no area")
    return Box(left, top, right, bottom, label)


def _class_names(folder: Path) -> list[str]:
    """Return the names of YOLO's classes in the order of their numbers, from the first file that has them.

    The files are searched in the folder and in the `MOST_DEEP` folders above it. Without such a file the list is empty.
    """
    for place in (folder, *folder.parents[:MOST_DEEP]):
        for name in CLASS_FILES:
            if (place / name).is_file():
                return (place / name).read_text(encoding="utf-8-sig").rstrip().splitlines()
        for file in sorted(place.glob("*.yaml")):
            if names := _names_in_yaml(file):
                return names
    return []


def _names_in_yaml(file: Path) -> list[str]:
    import yaml

    try:
        names = (yaml.safe_load(file.read_text(encoding="utf-8-sig")) or {}).get("names")
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError):
        return []
    if isinstance(names, Mapping):
        if not all(str(number).isdecimal() for number in names):
            return []
        by_number = {int(number): str(name) for number, name in names.items()}
        return [by_number.get(number, str(number)) for number in range(max(by_number, default=-1) + 1)]
    return [str(name) for name in names] if isinstance(names, list) else []


class _Index:
    """An index of the images by the names that annotations may use."""

    def __init__(self, images: Iterable[str]) -> None:
        self.paths = list(images)
        self._by_end: defaultdict[str, set[str]] = defaultdict(set)
        for path in self.paths:
            for name in (_neutral(path), _neutral(str(PurePosixPath(path).with_suffix("")))):
                for end in ends_of(name):
                    self._by_end[end].add(path)

    def find(self, name: str) -> str | None:
        """Return the path of the image that a name stands for, or None if there is no such image or more than one.

        Names and paths are compared from their ends. The path that shares the longest end with the name is returned.
        """
        paths = next((self._by_end[end] for end in ends_of(_neutral(name)) if end in self._by_end), set())
        return next(iter(paths)) if len(paths) == 1 else None


def _neutral(path: str) -> str:
    """Return a path in a form in which two paths can be compared.

    It has the separator `/` and composed letters (Unicode NFC). A folder whose name is in `IMAGE_FOLDERS` or
    `LABEL_FOLDERS` is replaced by `*`.
    """
    parts = composed(path).replace("\\", "/").removeprefix("./").split("/")
    return "/".join("*" if part.lower() in IMAGE_FOLDERS | LABEL_FOLDERS else part for part in parts)
