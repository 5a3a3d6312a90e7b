"""Nuisances: two cameras on real crops are named, and chance is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import false_discovery_control
from skimage import data
from sklearn.metrics import mutual_info_score

from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.consensus.nuisance import MAX_LEVELS, associations, benjamini_hochberg, holm
from workflow_scripts.intake.image_facts import appearance

PHOTOGRAPHS = ("brick", "grass", "gravel")
SIDE = 48


@pytest.fixture(scope="module")
def crops() -> tuple[np.ndarray, np.ndarray]:
    """Crops of three photographs, (N, 48, 48) uint8, and their classes."""
    images = [
        image[y : y + SIDE, x : x + SIDE]
        for image in (getattr(data, name)() for name in PHOTOGRAPHS)
        for y in range(0, 464, SIDE)
        for x in range(0, 464, SIDE)
    ]
    return np.stack(images), np.repeat(PHOTOGRAPHS, len(images) // 3)


def second_camera(images: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The images with those of `which` brightened and blurred."""
    changed = images.astype(float)
    changed[which] = [np.clip(gaussian_filter(image, 1.2) + 50, 0, 255) for image in changed[which]]
    return changed.astype(np.uint8)


def groups_of(images: np.ndarray, k: int = 4) -> np.ndarray:
    """K-means on brightness and the spectrum's bands: features in which a camera shows."""
    spectra = np.abs(np.fft.rfft2(images.astype(float)))
    bands = np.log(np.stack([spectra[:, 1:3, 1:3], spectra[:, 6:8, 6:8], spectra[:, 14:16, 14:16]])).mean(axis=(2, 3))
    points = np.column_stack([bands.T, images.mean(axis=(1, 2)) / 40])
    return run_restarts(points, k, 20, 0, keep="best").best_labels


def test_two_cameras_are_found_by_name_beyond_the_class(crops: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = crops
    rng = np.random.default_rng(0)
    second = rng.random(len(images)) < 0.5
    changed = second_camera(images, second)
    facts = appearance(changed).assign(
        camera=np.where(second, "left", "right"),
        operator=rng.choice(["x", "y"], len(images)),
        row=rng.random(len(images)),
    )
    found = associations(groups_of(changed), facts, labels, n_permutations=299).set_index("fact")
    assert (found.loc[["camera", "brightness", "sharpness"], "p_holm"] < 0.05).all()
    assert found.loc["camera", "strength"] > 0.3
    assert (found.loc[["operator", "row"], "p_holm"] > 0.05).all()


def test_cameras_that_did_nothing_are_called_at_most_at_the_stated_rate(crops: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = crops
    groups = groups_of(images)
    rng = np.random.default_rng(1)
    alarms = 0
    for seed in range(200):
        facts = pd.DataFrame(
            {"camera": rng.permutation(np.arange(len(images)) % 2).astype(str), "date": rng.random(len(images))}
        )
        alarms += (associations(groups, facts, labels, n_permutations=39, seed=seed)["p_holm"] <= 0.05).any()
    assert alarms <= 200 * 0.05 + 2 * np.sqrt(200 * 0.05 * 0.95)


def test_what_the_label_says_is_no_nuisance() -> None:
    labels = np.repeat(["a", "b", "c"], 80)
    groups = np.repeat([0, 1, 2], 80)
    facts = pd.DataFrame({"folder": labels, "size": np.repeat([10, 20, 30], 80) + np.arange(240) % 5})
    with_labels = associations(groups, facts, labels, n_permutations=99)
    assert "folder" not in set(with_labels["fact"])  # it does not vary within a label
    assert with_labels.set_index("fact").loc["size", "p"] > 0.05
    without = associations(groups, facts, n_permutations=99).set_index("fact")
    assert without.loc["folder", "strength"] == pytest.approx(1)
    assert without.loc["size", "p"] == pytest.approx(0.01)


def test_raw_strengths_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(2)
    groups, camera, labels = rng.integers(0, 3, 90), rng.choice(["x", "y"], 90), rng.choice(["a", "b"], 90)
    number = rng.permutation(90) + 30 * groups
    found = associations(groups, pd.DataFrame({"camera": camera, "number": number}), labels, n_permutations=9)
    raw = found.set_index("fact")["raw"]
    information = entropy = between = total = 0.0
    ranks = pd.Series(number).rank().to_numpy()
    for label in "ab":
        of_label = labels == label
        information += of_label.sum() * mutual_info_score(groups[of_label], camera[of_label])
        entropy += of_label.sum() * mutual_info_score(camera[of_label], camera[of_label])
        total += np.square(ranks[of_label] - ranks[of_label].mean()).sum()
        between += sum(
            (of_label & (groups == group)).sum()
            * (ranks[of_label & (groups == group)].mean() - ranks[of_label].mean()) ** 2
            for group in range(3)
        )
    assert raw["camera"] == pytest.approx(information / entropy)
    assert raw["number"] == pytest.approx(between / total)


def test_missing_values_constants_and_many_levels() -> None:
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 4, 400)
    facts = pd.DataFrame(
        {
            "gaps": np.where(np.arange(400) % 3 == 0, np.nan, groups.astype(float)),
            "date": pd.to_datetime("2024-01-01") + pd.to_timedelta(groups, "D"),
            "constant": 1,
            "unique": [f"name {number}" for number in range(400)],
            "folder": [f"folder {number}" for number in rng.integers(0, 5 * MAX_LEVELS, 400)],
        }
    )
    found = associations(groups, facts, n_permutations=19).set_index("fact")
    assert set(found.index) == {"gaps", "date", "folder"}
    assert found.loc["gaps", "n"] == 266
    assert found.loc["date", "strength"] == pytest.approx(1, abs=1e-9)
    assert found.loc["folder", "p"] > 0.05


def test_corrections_are_those_of_their_definitions() -> None:
    p = np.array([0.01, 0.2, 0.02, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.05, 0.4, 0.08, 0.09, 0.5])
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p))
    assert len(holm(np.empty(0))) == len(benjamini_hochberg(np.empty(0))) == 0
