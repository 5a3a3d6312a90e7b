"""Members of clusters, separated near-twins, and the data of the gallery page."""

import base64
import json
import re
import tracemalloc
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

from workflow_scripts.io import store
from workflow_scripts.metrics.members import (
    centre_distances,
    cluster_names,
    example_members,
    nearest_clusters,
    separated_twins,
)
from workflow_scripts.pages.gallery.page import describe, write_gallery
from workflow_scripts.pages.parts.imagenet import imagenet_names
from workflow_scripts.pages.parts.thumbnails import Thumbnails, data_uri

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 5))
PARTITION = np.where(np.arange(60) < 5, -1, np.arange(60) % 3)


def means():
    return np.stack([POINTS[cluster == PARTITION].mean(axis=0) for cluster in range(3)])


def test_distances_to_the_own_centre_and_to_the_next_one():
    table, expected = centre_distances(POINTS, PARTITION), cdist(POINTS, means())
    assert table["own"][:5].isna().all()  # noise has no centre
    for row in range(5, 60):
        others = expected[row].copy()
        others[PARTITION[row]] = np.inf
        assert table["own"][row] == pytest.approx(expected[row, PARTITION[row]])
        assert table["next"][row] == others.argmin()
        assert table["other"][row] == pytest.approx(others.min())


def test_members_come_nearest_first_at_the_border_and_farthest_first():
    distances = centre_distances(POINTS, PARTITION)
    table = example_members(distances, 4)
    assert table.groupby(["cluster", "place"]).size().eq(4).all()
    of_one = distances[distances["cluster"] == 1]
    rows = {place: of_place["row"].tolist() for place, of_place in table[table["cluster"] == 1].groupby("place")}
    assert rows["nearest"] == of_one["own"].nsmallest(4).index.tolist()
    assert rows["farthest"] == of_one["own"].nlargest(4).index.tolist()
    assert rows["border"] == (of_one["own"] / of_one["other"]).nlargest(4).index.tolist()


def test_one_cluster_alone_has_no_border_and_a_small_one_repeats_its_images():
    table = example_members(centre_distances(POINTS[:3], np.zeros(3, dtype=int)), 5)
    assert table.groupby("place").size().to_dict() == {"nearest": 3, "farthest": 3}
    assert example_members(centre_distances(POINTS[:3], np.full(3, -1)), 5).empty  # all noise


def test_nearest_clusters_are_those_of_the_nearest_means():
    distances = cdist(means(), means()) + np.diag(np.full(3, np.inf))
    assert nearest_clusters(POINTS, PARTITION) == sorted(np.unravel_index(distances.argmin(), (3, 3)))


@pytest.mark.parametrize("of", [centre_distances, nearest_clusters])
def test_a_thousand_clusters_take_one_array_of_distances(of):
    rng = np.random.default_rng(0)
    points, partition = rng.normal(size=(8000, 30)), rng.integers(0, 1000, 8000)
    tracemalloc.start()
    of(points, partition)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * points.itemsize * 8000 * 1000


def test_separated_twins_are_nearest_neighbours_in_two_clusters():
    table = separated_twins(POINTS, PARTITION)
    distances = pairwise_distances(POINTS) + np.diag(np.full(60, np.inf))
    nearest = distances.argmin(axis=1)
    expected = {frozenset((row, other)) for row, other in enumerate(nearest) if PARTITION[row] != PARTITION[other]}
    assert {frozenset(pair) for pair in table[["row", "twin"]].to_numpy()} == expected
    assert len(table) == len(expected)
    assert table["distance"].is_monotonic_increasing
    first = table.iloc[0]
    assert first["closer_than"] == (distances.min(axis=1) > first["distance"] + 1e-12).mean()


def test_copies_that_are_parted_come_first():
    points = np.vstack([POINTS, POINTS[10]])
    first = separated_twins(points, np.append(PARTITION, 2)).iloc[0]  # image 10 is in cluster 1
    assert (first["row"], first["twin"], first["distance"]) == (10, 60, 0)


def test_names_follow_the_classes_and_without_labels_the_numbers():
    labels = pd.Series(np.where(PARTITION == 1, "a", "b"), dtype=object)
    assert list(cluster_names(PARTITION, labels).values()) == ["a", "b", "b-2", "noise"]
    unlabelled = pd.Series([None] * 60, dtype=object)
    assert cluster_names(PARTITION, unlabelled) == {0: "0", 1: "1", 2: "2", -1: "noise"}


def test_pictures_keep_their_shape_and_their_content():
    ramp = np.tile(np.linspace(0, 255, 200).astype(np.uint8), (100, 1))
    kind, content = data_uri(ramp, 50).split(",")
    assert kind == "data:image/jpeg;base64"
    picture = np.asarray(Image.open(BytesIO(base64.b64decode(content))), dtype=float)
    assert picture.shape == (25, 50)
    np.testing.assert_allclose(picture[12], np.linspace(0, 255, 50), atol=8)
    assert Image.open(BytesIO(base64.b64decode(data_uri(ramp[:20, :20], 50).split(",")[1]))).size == (20, 20)


def written(path, labels=tuple("</script><b>" if i % 2 else None for i in range(60))):
    """Write the page of one clustering, in which every other image has a label by default; return its description."""
    ids = [f"{i:02d}" for i in range(60)]
    labels = pd.Series(labels, dtype=object)
    manifest = pd.DataFrame({"image_id": ids, "path": [f"{i}.png" for i in ids], "label": labels})
    described = {"k": 3, **describe(POINTS, PARTITION, manifest, {"per_place": 2, "twins": 3})}
    images = RNG.integers(0, 256, (60, 8, 8), dtype=np.uint8)
    thumbnails = Thumbnails(images, {image_id: row for row, image_id in enumerate(ids)})
    cells = [{"name": "one", "partitions": [described]}]
    write_gallery(str(path), cells, manifest, thumbnails, {"dataset": "d", "study": "s"})
    return described


def test_images_without_a_label_are_counted_in_the_title_of_a_cluster(tmp_path, browser):
    first = written(tmp_path / "page.html")["clusters"][0]
    browser.get((tmp_path / "page.html").as_uri())
    ((name, n),) = first["classes"]
    words = f"{first['size']} images: {name} {n}, no label {first['size'] - n}"
    assert browser.find_element("css selector", "h2 .mix").text == words


def test_classes_that_are_numbers_or_words_of_javascript_are_names_as_others(tmp_path, browser):
    """Cluster 1 has the class 10 and some images of class 9; the cluster of class 9 has no `constructor`."""
    classes = np.array(["constructor", "10", "9"], dtype=object)[np.arange(60) % 3]
    classes[[7, 10]] = "9"
    clusters = {each["name"]: each for each in written(tmp_path / "page.html", classes)["clusters"]}
    assert clusters["10"]["classes"] == [["10", 16], ["9", 2]]
    browser.get((tmp_path / "page.html").as_uri())
    words = [each.text for each in browser.find_elements("css selector", "h2 .mix")]
    assert "18 images: 10 16, 9 2" in words
    framed = {each.get_attribute("title") for each in browser.find_elements("css selector", ".stranger")}
    assert all(each.endswith("labelled 9") for each in framed if each.split(".")[0] in ("7", "10"))
    assert not any(each.endswith("labelled 10") for each in framed if int(each.split(".")[0]) >= 5)
    browser.find_element("id", "classes").click()
    rows = [each.text.split() for each in browser.find_elements("css selector", "tbody tr")]
    assert {name: int(rest[-1]) for name, *rest in rows} == {"10": 18, "9": 22, "constructor": 20}


def test_twins_between_clusters_of_one_name_are_those_of_the_two_that_are_shown(tmp_path, browser):
    """Without labels of clusters 1 and 2 both are called ?."""
    labels = ["a" if i % 3 == 0 else None for i in range(60)]
    described = written(tmp_path / "page.html", labels)
    names = [each["name"] for each in described["clusters"]]
    assert names == ["a", "?", "?", "noise"]
    browser.get((tmp_path / "page.html").as_uri())
    for first, second in ((0, 1), (0, 2), (1, 2), (1, 1)):
        browser.execute_script("view = 'two'; pair = [...arguments]; show()", first, second)
        shown = len(browser.find_elements("css selector", ".twins section"))
        assert shown == sum(set(each["clusters"]) == {first, second} for each in described["twins"])


def test_a_page_holds_what_it_shows_and_no_name_can_break_out_of_it(tmp_path):
    path = tmp_path / "page.html"
    described = written(path)
    text = path.read_text()
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert text.count("</script>") == 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    shown = [
        image
        for cluster in described["clusters"]
        for place in ("nearest", "spread")
        for image in cluster.get(place, [])
    ]
    assert set(shown) <= set(data["thumbnails"])
    noise = data["cells"][0]["partitions"][0]["clusters"][-1]
    assert (noise["name"], noise["size"], len(noise["spread"])) == ("noise", 5, 2)
    assert sum(cluster["size"] for cluster in described["clusters"]) == 60
    assert len(described["twins"]) == 3


def test_a_cluster_has_the_names_that_most_of_its_images_get():
    manifest = pd.DataFrame({"image_id": [f"{i:02d}" for i in range(60)], "label": None})
    seen = np.array(["honeycomb", "strainer", "crate", "dome"])[np.arange(60) // 3 % 4]
    described = describe(POINTS, PARTITION, manifest, {"per_place": 2, "twins": 0}, seen)
    for cluster in described["clusters"]:
        inside = (int(cluster["name"]) if cluster["name"] != "noise" else -1) == PARTITION
        assert 1 <= len(cluster["imagenet"]) <= 3
        for name, share in cluster["imagenet"].items():
            assert share == np.mean(seen[inside] == name)
        assert list(cluster["imagenet"].values()) == sorted(cluster["imagenet"].values(), reverse=True)
    without = describe(POINTS, PARTITION, manifest, {"per_place": 2, "twins": 0})
    assert not any(cluster["imagenet"] for cluster in without["clusters"])


def test_names_are_those_of_the_best_scores(tmp_path):
    scores = np.zeros((3, 1000), np.float32)
    scores[[0, 1, 2], [599, 828, 999]] = 1
    with store.writing(tmp_path / "scores.h5", {}) as file:
        store.put(file, "features", scores)
    assert imagenet_names(str(tmp_path / "scores.h5")).tolist() == ["honeycomb", "strainer", "toilet tissue"]
