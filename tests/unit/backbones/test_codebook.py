"""Encodings over a codebook against loops over the formulas of the papers, and their place in an extraction."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from workflow_scripts.backbones.codebook import Fisher, Vlad, learn, named, restored, sampled, stored, unit_length
from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.family import layer_width
from workflow_scripts.backbones.forward import prepare
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

RNG = np.random.default_rng(0)
DESCRIPTORS = unit_length(RNG.normal(size=(40, 5)))
CENTRES = RNG.normal(size=(3, 5))
MODEL = {"model": "squeezenet1_1", "weights": "random", "batch_size": 4}


def test_vlad_sums_the_differences_from_the_nearest_centre():
    sums = np.zeros((3, 5))
    for vector in DESCRIPTORS:
        nearest = min(range(3), key=lambda word: np.linalg.norm(vector - CENTRES[word]))
        sums[nearest] += vector - CENTRES[nearest]
    each = np.stack([row / np.linalg.norm(row) if row.any() else row for row in sums])
    expected = each.ravel() / np.linalg.norm(each)
    np.testing.assert_allclose(Vlad(CENTRES).encode(DESCRIPTORS), expected, atol=1e-12)


def test_a_word_without_members_and_an_empty_map_give_zeros():
    far = np.vstack([CENTRES, np.full((1, 5), 99.0)])
    assert not Vlad(far).encode(DESCRIPTORS)[15:].any()
    assert Vlad(CENTRES).encode_all(np.zeros((1, 4, 5), np.float32)).shape == (1, 15)


def test_a_fisher_vector_is_the_gradient_of_the_likelihood():
    """By central differences of the mean logarithmic likelihood; the signs of all are free."""
    mixture = GaussianMixture(2, covariance_type="diag", random_state=0).fit(DESCRIPTORS)
    raw = Fisher(mixture.weights_, mixture.means_, mixture.covariances_).encode(DESCRIPTORS)
    undone = raw * np.abs(raw)  # proportional to the gradients, without the square root
    step, gradients = 1e-6, np.empty((2, 5))
    for word, column in np.ndindex(2, 5):
        mean = mixture.means_[word, column]
        likelihoods = []
        for sign in (1, -1):
            mixture.means_[word, column] = mean + sign * step
            likelihoods.append(mixture.score(DESCRIPTORS))
        mixture.means_[word, column] = mean
        deviation = np.sqrt(mixture.covariances_[word, column])
        gradients[word, column] = (likelihoods[0] - likelihoods[1]) / (2 * step) * deviation
        gradients[word, column] /= np.sqrt(mixture.weights_[word])
    of_means = undone[2:12].reshape(2, 5)
    np.testing.assert_allclose(
        of_means / np.abs(of_means).sum(),
        gradients / np.abs(gradients).sum(),
        atol=1e-5 * np.abs(of_means).max() + 1e-4,
    )
    assert np.linalg.norm(raw) == pytest.approx(1)


@pytest.mark.parametrize("encoding", ["vlad", "fisher"])
def test_a_codebook_finds_the_groups_of_its_sample(encoding):
    groups = np.repeat(np.eye(4), 50, axis=0)
    sample = unit_length(groups + RNG.normal(scale=0.05, size=groups.shape))
    book = learn(encoding, 4, sample, seed=0)
    centres = book.centres if encoding == "vlad" else book.means
    assert sorted(centres.argmax(axis=1)) == [0, 1, 2, 3]
    assert book.encode(sample).shape == (book.width,)
    with pytest.raises(UserError, match=f"{encoding}300: found 200 positions, allowed: at least 300"):
        learn(encoding, 300, sample, seed=0)


def test_layers_with_a_codebook_are_extracted_beside_others(tmp_path):
    images = RNG.integers(0, 256, (9, 64, 64, 3), dtype=np.uint8)
    layers = ["fire5_vlad4", "fire5_fisher2", "fire5_avg"]
    found = {}
    for workers in (1, 3):
        paths = {layer: tmp_path / f"{layer}.{workers}.h5" for layer in layers}
        extract(images, [f"{row:02d}" for row in range(9)], MODEL, paths, {"manifest": "m"}, "cpu", workers)
        found[workers] = []
        for layer, path in paths.items():
            with store.reading(path) as file:
                found[workers].append(file["features"][:])
                assert found[workers][-1].shape == (9, layer_width("squeezenet1_1", layer, 64))
    for one, three in zip(found[1], found[3], strict=True):
        np.testing.assert_array_equal(one, three)
    np.testing.assert_allclose(np.linalg.norm(found[1][0], axis=1), 1, atol=1e-6)
    forward, _ = prepare(MODEL, layers, (64, 64), torch.device("cpu"))
    for layer, features in zip(layers[:2], found[1], strict=False):
        with store.reading(tmp_path / f"{layer}.1.h5") as file:
            book = restored(layer, stored(file))[layer]
        np.testing.assert_allclose(book.encode_all(forward(images)[layer]), features, atol=1e-5)


def test_a_codebook_without_all_its_words_is_a_mistake():
    arrays = named("fire5_vlad3", Vlad(CENTRES))
    assert restored("fire5_vlad3+fire9_avg", arrays)["fire5_vlad3"].width == 15
    assert restored("fire9_avg", {}) == {}
    with pytest.raises(ValueError, match=r"codebook.fire5_vlad4.centres: found nothing, allowed: 4 rows"):
        restored("fire5_vlad4", arrays)
    with pytest.raises(ValueError, match=r"found \(2, 5\), allowed: 3 rows"):
        restored("fire5_vlad3", {name: array[:2] for name, array in arrays.items()})


def test_a_codebook_encodes_the_vectors_at_all_positions_of_the_map():
    images = RNG.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    forward, _ = prepare(MODEL, ["fire5_vlad4", "fire5"], (64, 64), torch.device("cpu"))
    vectors = forward(images)
    flat = vectors["fire5"].reshape(2, vectors["fire5_vlad4"].shape[2], -1)  # (channels, positions)
    np.testing.assert_array_equal(vectors["fire5_vlad4"], flat.transpose(0, 2, 1))
    some = sampled(vectors["fire5_vlad4"][0], np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(some, axis=1), 1)
