"""The same boxes written as COCO, Pascal VOC and YOLO, and files that people get wrong."""

import json
import unicodedata

import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.intake.boxes import Box, read_boxes
from workflow_scripts.intake.labels import label_images

WIDTH, HEIGHT = 200, 100
TRUTH = {
    "train/images/a.jpg": [Box(20, 10, 60, 50, "bolt"), Box(100, 0, 200, 100, "nut")],
    "train/images/b.jpg": [Box(0, 0, 50, 20, "nut")],
}


def coco(folder):
    images = [{"id": n, "file_name": path, "width": WIDTH, "height": HEIGHT} for n, path in enumerate(TRUTH)]
    annotations = [
        {"image_id": n, "category_id": 1 + (box.label == "nut"),
         "bbox": [box.left, box.top, box.right - box.left, box.bottom - box.top]}
        for n, boxes in enumerate(TRUTH.values())
        for box in boxes
    ]  # fmt: skip
    categories = [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    file = folder / "instances.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return file


def voc(folder):
    for path, boxes in TRUTH.items():
        things = "".join(
            f"<object><name>{box.label}</name><bndbox><xmin>{box.left + 1:g}</xmin><ymin>{box.top + 1:g}</ymin>"
            f"<xmax>{box.right:g}</xmax><ymax>{box.bottom:g}</ymax></bndbox></object>"
            for box in boxes
        )
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        file = folder / path.replace("images", "Annotations").replace(".jpg", ".xml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<annotation>{size}{things}</annotation>")
    return folder


def yolo(folder):
    for path, boxes in TRUTH.items():
        lines = [
            f"{int(box.label == 'nut')} {(box.left + box.right) / 2 / WIDTH} {(box.top + box.bottom) / 2 / HEIGHT} "
            f"{(box.right - box.left) / WIDTH} {(box.bottom - box.top) / HEIGHT}\n"
            for box in boxes
        ]
        file = folder / path.replace("images", "labels").replace(".jpg", ".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(lines))
    (folder / "README.roboflow.txt").write_text("no boxes, and no image of this name\n")
    (folder / "data.yaml").write_text("names: [bolt, nut]\n")
    return folder


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ("{0: bolt, 1: nut}", {"bolt", "nut"}),
        ("{'0': bolt, '1': nut}", {"bolt", "nut"}),
        ("{steel: 1}", {"0", "1"}),
        ("steel", {"0", "1"}),
    ],
)
def test_the_names_of_classes_in_yaml(tmp_path, names, labels):
    """A file of YAML may also belong to another program, and then has no names of classes."""
    folder = yolo(tmp_path)
    (folder / "data.yaml").write_text(f"names: {names}\n")
    assert {box.label for one in read_boxes(folder, TRUTH).by_path.values() for box in one.boxes} == labels


@pytest.mark.parametrize("write", [coco, voc, yolo])
def test_the_formats_say_the_same(tmp_path, write):
    boxes = read_boxes(write(tmp_path), [*TRUTH, "train/images/other.jpg"])
    for path, truth in TRUTH.items():
        found = boxes.by_path[path].in_pixels(WIDTH, HEIGHT)
        assert [box.label for box in found] == [box.label for box in truth]
        for box, true in zip(found, truth, strict=True):
            edges = (box.left, box.top, box.right, box.bottom)
            assert edges == pytest.approx((true.left, true.top, true.right, true.bottom))
    assert boxes.by_path.keys() == TRUTH.keys()


@pytest.mark.parametrize("write", [coco, voc])
def test_boxes_of_another_size_of_image_are_no_boxes(tmp_path, write):
    annotated = read_boxes(write(tmp_path), TRUTH).by_path["train/images/b.jpg"]
    with pytest.raises(ValueError, match="its boxes are of 200 x 100 pixels, the image has 100 x 200"):
        annotated.in_pixels(HEIGHT, WIDTH)


@pytest.mark.parametrize("write", [coco, voc, yolo])
def test_an_image_of_one_class_has_it_as_label(tmp_path, write):
    source = write(tmp_path)
    images = dict.fromkeys([*TRUTH, "c.jpg"], "id")
    labels = label_images(images, "boxes", file=str(source)).labels
    assert labels == {"train/images/a.jpg": "", "train/images/b.jpg": "nut", "c.jpg": ""}


def test_letters_and_accents_that_are_written_apart_name_the_same_image(tmp_path):
    (tmp_path / "Ätzung.txt").write_text("0 0.5 0.5 1 1\n")
    path = unicodedata.normalize("NFD", "images/Ätzung.png")
    assert list(read_boxes(tmp_path, [path]).by_path) == [path]


def test_a_split_as_of_imagenet_is_labelled_by_its_folders():
    paths = [f"{split}/{name}/{i}.jpg" for split in ("train", "val") for name in ("n01", "n02") for i in range(5)]
    labels = label_images({path: path for path in paths}).labels
    assert all(labels[path] == path.split("/")[1] for path in paths)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "found no boxes that can be read"),
        ("a.json", "[]", "found no boxes that can be read"),
        ("a.json", "[" * 100_000, "found no boxes that can be read"),
        (
            "a.json",
            '{"images": [{"id": 1, "file_name": "a.png", "width": 1e999}], "annotations": [], "categories": []}',
            "infinity",
        ),
        ("a.json", '{"images": [], "annotations": []}', "no 'categories'"),
        ("a.json", '{"images": [], "annotations": [], "categories": []}', "found no annotation of an image here"),
        ("a.xml", "<annotation><object/></annotation>", "an <object> lacks its <name> or <bndbox>"),
        ("a.xml", "<html></html>", "its root is <html>"),
        ("a.xml", "<annotation>", "found no boxes that can be read"),
        ("a.txt", "0 0.5 0.5\n", "line 1 is '0 0.5 0.5', not a class's number and four shares"),
        ("a.txt", "² 0.5 0.5 0.1 0.1\n", "line 1 is '² 0.5 0.5 0.1 0.1', not a class's number and four shares"),
        ("a.txt", "0 50 50 10 10\n", "with edges that are no shares of the image"),
        ("a.txt", "0 0.5 0.5 0 0.2\n", "has no area"),
        ("a.txt", "0 x y 0.1 0.2\n", "could not convert"),
        ("b.txt", "0 0.5 0.5 0.1 0.1\n", "the first of 1 is 'b'; allowed: names such as 'a.jpg'"),
    ],
)
def test_a_file_that_is_wrong_is_said_in_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    for source in (tmp_path, tmp_path / name):
        with pytest.raises(UserError) as error:
            read_boxes(source, ["a.jpg"])
        assert said in str(error.value)
        assert str(tmp_path) in str(error.value)
        assert "\n" not in str(error.value)


def test_no_annotation_at_all_and_a_class_without_a_name(tmp_path):
    with pytest.raises(UserError, match="found a folder without any, allowed: a COCO file"):
        read_boxes(tmp_path, ["a.jpg"])
    with pytest.raises(UserError, match="found nothing, allowed: a COCO file"):
        read_boxes(tmp_path / "none.json", ["a.jpg"])
    (tmp_path / "classes.txt").write_text("bolt\n")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.1 0.1\n")
    with pytest.raises(UserError, match="line 1 has class 1, but 1 classes have names"):
        read_boxes(tmp_path, ["a.jpg"])
