"""Words of figures: k and how it was chosen, numbers of images, and choices."""

import pandas as pd
import pytest

from workflow_scripts.figures.names import k_in_words, n_in_words, term_in_words


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"k": 7, "chosen_by": "silhouette"}, "k = 7, best mean silhouette; "),
        ({"k": 7, "chosen_by": None}, "k = 7; "),
        ({"k": 7}, "k = 7; "),
        ({"k": pd.NA, "chosen_by": None}, ""),
    ],
)
def test_k_is_said_with_the_metric_that_chose_it_and_not_if_the_clusterer_found_it(row, text):
    table = pd.DataFrame([row]).astype({"k": "Int64"})
    assert k_in_words(table.iloc[0], "; ") == text


def test_subsets_of_different_sizes_are_a_range_of_images(tmp_path):
    manifests = []
    for n in (3, 1200, 3):
        manifests.append(str(tmp_path / f"{len(manifests)}.csv"))
        images = [(f"{number}", f"{number}.png", "") for number in range(n)]
        pd.DataFrame(images, columns=["image_id", "path", "label"]).to_csv(manifests[-1], index=False)
    assert n_in_words({"subsets": manifests[:1]}) == "n = 3 images"
    assert n_in_words({"subsets": manifests[::2]}) == "n = 3 images"
    assert n_in_words({"subsets": manifests}) == "n = 3 to 1,200 images"


def test_a_metric_that_needs_labels_says_how_many_images_have_one(tmp_path):
    images = [(f"{number}", f"{number}.png", "a" if number < 5 else "") for number in range(48)]
    path = str(tmp_path / "manifest.csv")
    pd.DataFrame(images, columns=["image_id", "path", "label"]).to_csv(path, index=False)
    assert n_in_words({"subsets": [path]}, ["silhouette", "ari"]) == "n = 48 images, 5 with a label"
    assert n_in_words({"subsets": [path]}, ["silhouette"]) == "n = 48 images"


def test_a_pair_of_choices_is_one_name_in_small_letters():
    names = [term_in_words(term) for term in ("n_components", "n_components × clusterer", "layer × k")]
    assert names == ["Components", "Components × clusterer", "Layer × k"]
