"""Rules of labels on file names of real data sets."""

import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.intake.labels import classes_in_words, corrected, find_table, label_images


def _images(*paths):
    return {path: f"id{number}" for number, path in enumerate(paths)}


def _labels(paths, **rule):
    return list(label_images(_images(*paths), **rule).labels.values())


def test_none():
    assert _labels(["a/1.png", "b/2.png"], rule="none") == ["", ""]


@pytest.mark.parametrize(
    ("level", "expected"),
    [(-1, ["y", "z", ""]), (-2, ["x", "", ""]), (0, ["x", "z", ""]), (1, ["y", "", ""])],
)
def test_folder_levels(level, expected):
    assert _labels(["x/y/1.png", "z/2.png", "3.png"], rule="folder", level=level) == expected


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Cr_1.bmp", "Cr"),
        ("rolled-in_scale_176.jpg", "rolled-in_scale"),
        ("sub/crazing_1.jpg", "crazing"),
        ("img001.png", "img"),
        ("type1_23.png", "type1"),
        ("type1-23.tar.png", "type1-23.tar"),
        ("scratch (12).png", "scratch"),
        ("brick.png", "brick"),
        ("0001.png", ""),
        ("rouille é_3.png", "rouille é"),
    ],
)
def test_prefix(name, label):
    assert _labels([name, "other_1.png"], rule="prefix") == [label, "other"]


def test_regex_takes_the_named_group_or_the_first():
    paths = ["run1/exp-Cr-3.png", "run1/other.png"]
    assert _labels(paths, rule="regex", pattern=r"-(\w+)-") == ["Cr", ""]
    assert _labels(paths, rule="regex", pattern=r"(run\d).*-(?P<label>\w+)-") == ["Cr", ""]
    assert _labels([*paths, "exp-X.png"], rule="regex", pattern=r"exp(-X)?") == ["", "", "-X"]


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"rule": "folder", "level": 2}, "folder, level 2"),
        ({"rule": "prefix"}, "prefix of the file's name"),
        ({"rule": "regex", "pattern": r"no(\d)"}, r"regex no(\d)"),
    ],
)
def test_a_rule_that_fits_no_image_is_refused(rule, name):
    with pytest.raises(UserError) as caught:
        _labels(["x/1.png", "x/2.png"], **rule)
    line = f"config: intake: found the rule {name}, allowed: one that fits the images, the first is 'x/1.png'"
    assert str(caught.value) == line


@pytest.mark.parametrize("pattern", ["(", "no group", ""])
def test_regex_that_cannot_work(pattern):
    with pytest.raises(UserError, match=r"intake\.labels\.pattern"):
        _labels(["a.png"], rule="regex", pattern=pattern)


def test_unknown_rule():
    with pytest.raises(UserError, match="found 'guess', allowed: auto"):
        _labels(["a.png"], rule="guess")


# ------------------------------------------------------------------------------------------------------------ tables


@pytest.mark.parametrize(
    "rows",
    [
        "path,label\na/1.png,Cr\nb/2.png,In\n",
        "label,path\nCr,./a/1.png\nIn,b\\2.png\n",
        "filename,label,note\n1.png,Cr,x\n2.png,In,y\n",
        "filename,label\n1,Cr\n2,In\n",
        "path,label\na/1,Cr\nb/2,In\n",
        "path,label\nwhole/data/a/1.png,Cr\nwhole/data/b/2.png,In\n",
        "image_id,label\nid0,Cr\nid1,In\n",
        '\ufeffPath,Label\n"a/1.png", Cr \n"b/2.png",In\n',
        "path,label\na/1.png,Cr\nb/2.png,In\nc/9.png,Pa\n",
    ],
)
def test_table_by_path_name_stem_or_id(tmp_path, rows):
    table = tmp_path / "classes.csv"
    table.write_text(rows, encoding="utf-8")
    labelling = label_images(_images("a/1.png", "b/2.png", "b/3.png"), rule="csv", file=str(table))
    assert labelling.labels == {"a/1.png": "Cr", "b/2.png": "In", "b/3.png": ""}
    unnamed = "1 row that names" if "c/9.png" in rows else "0 rows that name"
    assert labelling.why == (f"{unnamed} no image or more than one",)


def test_table_does_not_guess_between_two_images_of_one_name(tmp_path):
    (tmp_path / "labels.csv").write_text("filename,label\n1.png,Cr\n2.png,In\nb/1.png,Pa\n")
    labelling = label_images(_images("a/1.png", "b/1.png", "b/2.png"), rule="csv", file=str(tmp_path / "labels.csv"))
    assert labelling.labels == {"a/1.png": "", "b/1.png": "Pa", "b/2.png": "In"}
    assert labelling.why == ("1 row that names no image or more than one",)


def test_table_labels_both_copies_of_an_image_by_id(tmp_path):
    (tmp_path / "labels.csv").write_text("image_id,label\nsame,Cr\n")
    labelling = label_images({"a.png": "same", "b.png": "same"}, rule="csv", file=str(tmp_path / "labels.csv"))
    assert labelling.labels == {"a.png": "Cr", "b.png": "Cr"}


@pytest.mark.parametrize(
    "content",
    [
        "path;label\na/1.png;Cr, old\nb/é.png;In\n".encode(),
        "path\tlabel\na/1.png\tCr, old\nb/é.png\tIn\n".encode("utf-16"),
        "a/1.png;Cr, old\nb/é.png;In\n".encode("utf-8-sig"),
        "Bild;Klasse\n1.png;Cr, old\né.png;In\n".encode("cp1252"),
        'Nr,Datei,Class\n1,a/1.png,"Cr, old"\n2,b/e\u0301.png,In\n'.encode(),
        "sep=;\r\nfilename;note;label\r\n1.png;x;Cr, old\r\né.png;;In\r\n".encode("cp1252"),
    ],
    ids=["semicolon", "tab and UTF-16", "no header", "Windows", "other names, composed letters", "Excel"],
)
def test_tables_as_people_write_them(tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)
    labelling = label_images(_images("a/1.png", "b/é.png"), rule="csv", file=str(tmp_path / "labels.csv"))
    assert labelling.labels == {"a/1.png": "Cr, old", "b/é.png": "In"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,class\nx,y\n", "none names files; allowed: one of path, filename, image_id"),
        (
            b"path,x,y\na.png,1,2\n",
            "allowed: one of label, class, category, target beside path; intake.labels.column names another",
        ),
        (b"", "found an empty file"),
        (b"path,label\na.png,\xff\0\n", "UTF-8"),
        (
            b"path,label\nz.png,Cr\nq.png,In\n",
            "the first of 2 rows is 'z.png'; allowed: names of files such as 'a.png'",
        ),
        (b"a.png 0.3 mono\nb.png 1.0 poly\n", "3 columns without names, allowed: a first row with their names"),
        (b"path,label\na.png,Cr\na.png,In\n", "found 'Cr' and 'In' for a.png, allowed: one"),
    ],
)
def test_tables_that_cannot_work(tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=message):
        label_images(_images("a.png", "b.png"), rule="csv", file=str(tmp_path / "labels.csv"))


def test_table_that_is_missing(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        label_images(_images("a.png"), rule="csv", file=str(tmp_path / "gone.csv"))


def test_table_that_is_not_named():
    with pytest.raises(UserError, match=r"^config: intake\.labels\.file: found none, and no labels\.csv"):
        label_images(_images("a.png"), rule="csv")


@pytest.mark.parametrize("rule", ["auto", "csv"])
def test_table_is_the_named_one_or_that_of_the_folder(tmp_path, rule):
    assert find_table(tmp_path, rule, None) is None
    (tmp_path / "labels.csv").mkdir()
    assert find_table(tmp_path, rule, None) is None
    (tmp_path / "labels.csv").rmdir()
    (tmp_path / "labels.csv").touch()
    (tmp_path / "other.csv").touch()
    assert find_table(tmp_path, rule, None) == str(tmp_path / "labels.csv")
    assert find_table(tmp_path, rule, str(tmp_path / "other.csv")) == str(tmp_path / "other.csv")
    with pytest.raises(UserError, match=r"^config: intake\.labels\.file: found no file gone\.csv, allowed"):
        find_table(tmp_path, rule, "gone.csv")


@pytest.mark.parametrize("rule", ["none", "folder", "prefix", "regex"])
def test_other_rules_read_no_table(tmp_path, rule):
    (tmp_path / "labels.csv").touch()
    assert find_table(tmp_path, rule, None) is None


# -------------------------------------------------------------------------------------------------------------- auto

NUMBERED = [f"{kind}_{number}.png" for kind in ("Cr", "In") for number in range(3)]


def _auto(paths, root):
    labelling = label_images(_images(*paths), rule="auto", file=find_table(root, "auto", None))
    return labelling.rule, sorted(set(labelling.labels.values())), "; ".join(labelling.why)


def test_auto_prefers_the_table(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(f"x/{name},{name[1]}\n" for name in NUMBERED))
    assert _auto([f"x/{name}" for name in NUMBERED], tmp_path)[:2] == ("table labels.csv (path and label)", ["n", "r"])


def test_auto_takes_the_nearest_folder_that_tells_classes_apart(tmp_path):
    paths = [f"data/{kind}/Imgs/{number}.png" for kind in ("Blowhole", "Break") for number in range(4)]
    rule, classes, why = _auto(paths, tmp_path)
    assert (rule, classes) == ("folder, level -2", ["Blowhole", "Break"])
    assert "folder, level -1: one class for all" in why


def test_auto_takes_the_prefix_without_folders(tmp_path):
    assert _auto(NUMBERED, tmp_path)[:2] == ("prefix of the file's name", ["Cr", "In"])


def test_auto_takes_a_table_of_a_few_labels_and_says_so(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\nCr_0.png,a\nCr_1.png,b\n")
    labelling = label_images(_images(*NUMBERED), file=find_table(tmp_path, "auto", None))
    assert labelling.rule == "table labels.csv (path and label)"
    counted = "2 classes (a 1, b 1), 4 of 6 images without a label (Cr_2.png)"
    assert classes_in_words(labelling.labels) == counted


def test_of_many_classes_the_largest_and_the_smallest_are_named():
    labels = {f"{kind}/{number}": kind for kind in "abcdefghij" for number in range(20 - ord(kind) % 10)}
    assert classes_in_words(labels) == "10 classes (d 20, e 19, f 18, ..., c 11), 0 of 155 images without a label"
    assert classes_in_words({"x": ""}) == "0 classes, 1 of 1 images without a label"


def test_auto_does_not_pass_over_a_table_that_cannot_be_used(tmp_path):
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(UserError, match=r"labels\.csv: found columns a, b, of which none names files"):
        _auto(NUMBERED, tmp_path)


def test_one_stray_image_makes_no_class(tmp_path):
    paths = [f"data/{kind}_{number}.png" for kind in ("Cr", "In") for number in range(40)]
    rule, classes, why = _auto([*paths, "doc/plot_1.png"], tmp_path)
    assert (rule, classes) == ("prefix of the file's name", ["Cr", "In", "plot"])
    assert "folder, level -1: 80 of 81 images are 'data', only 1 are not: too few for classes" in why


def test_parts_of_a_data_set_are_no_classes(tmp_path):
    paths = [f"{kind}/{part}/{number}.png" for kind in ("a", "b") for part in ("train", "test") for number in range(4)]
    assert _auto(paths, tmp_path)[:2] == ("folder, level -2", ["a", "b"])


def test_folders_at_several_depths_count_from_the_outermost(tmp_path):
    plain = [f"defect/{number}.png" for number in range(20)]
    nested = [f"no_defect/{fabric}/{number}.png" for fabric in ("AB", "CD") for number in range(10)]
    assert _auto([*plain, *nested], tmp_path)[:2] == ("folder, level 0", ["defect", "no_defect"])


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ([f"IMG_{number}.png" for number in range(10)], "one class for all"),
        ([f"{letter}.png" for letter in "abcdefgh"], "8 classes for 8 images"),
        ([f"{number}.png" for number in range(10)], "only 0 of 10 images have a label"),
        ([f"{letter}/x.png" for letter in "abcdefgh"], "8 classes for 8 images"),
    ],
)
def test_auto_gives_no_label_where_nothing_makes_sense(tmp_path, paths, why):
    rule, classes, reasons = _auto(paths, tmp_path)
    assert (rule, classes) == ("none", [""])
    assert why in reasons


def test_auto_on_steel_defects(neu_images):
    names = [path.name for path in sorted(neu_images.iterdir())]
    labelling = label_images(_images(*names), rule="auto")
    counts = {label: list(labelling.labels.values()).count(label) for label in set(labelling.labels.values())}
    classes = ("crazing", "inclusion", "patches", "pitted_surface", "rolled-in_scale", "scratches")
    assert counts == dict.fromkeys(classes, 300)


def test_corrections_come_before_the_rule_and_leave_the_rest(tmp_path):
    images = _images("a/1.png", "a/2.png", "b/1.png", "x/b/1.png")
    table = tmp_path / "decisions.csv"
    lines = ["path,label,was,decision", "a/1.png,b,a,relabel", "b/1.png,a,b,relabel", "a/2.png,,a,unsure", "no.png,c,,"]
    table.write_text("\n".join(lines))
    labelling = corrected(label_images(images, "folder"), images, [str(table)])
    # b/1.png is also an end of x/b/1.png: the whole path means the one.
    assert labelling.labels == {"a/1.png": "b", "a/2.png": "a", "b/1.png": "a", "x/b/1.png": "b"}
    assert "2 labels changed by decisions.csv, 1 row names no image or more than one" in labelling.why


def test_corrections_that_contradict_each_other_are_refused(tmp_path):
    (tmp_path / "two.csv").write_text("path,label\na/1.png,b\na/1.png,c\n")
    images = _images("a/1.png", "b/1.png")
    with pytest.raises(UserError, match=r"two.csv: found 'b' and 'c' for a/1.png, allowed: one"):
        corrected(label_images(images, "folder"), images, [str(tmp_path / "two.csv")])


def test_the_last_table_counts_unless_the_decision_before_is_known_to_be_later(tmp_path):
    """Pages export earlier decisions again, so an old export may come after a new one."""
    early, late = "2026-11-29T20:00:00.000Z", "2026-11-29T21:00:00.000Z"
    tables = {
        "new.csv": f"path,label,decided\na/1.png,new,{late}\na/2.png,new,{late}\na/3.png,new,\ngone.png,new,{late}\n",
        "old.csv": f"path,label,decided\na/1.png,old,{early}\na/2.png,old,29.11.2026\na/3.png,old,{early}\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    images = _images("a/1.png", "a/2.png", "a/3.png", "a/4.png")
    labelling = corrected(label_images(images, "folder"), images, [str(tmp_path / name) for name in tables])
    assert labelling.labels == {"a/1.png": "new", "a/2.png": "old", "a/3.png": "old", "a/4.png": "a"}
    assert {path: decision.value for path, decision in labelling.by_hand.items()} == {
        **{"a/1.png": "new", "a/2.png": "old", "a/3.png": "old"},
        "gone.png": "new",  # its image may come back
    }
