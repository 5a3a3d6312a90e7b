"""The autoencoder against PCA, against plain torch, and after a kill against an uninterrupted training."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits
from torch import nn

from workflow_scripts.errors import UserError
from workflow_scripts.io import checkpoint, store
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.reduce import autoencoder
from workflow_scripts.reduce.dense import Autoencoder
from workflow_scripts.reduce.phases import PHASES, Recipe, Trainer
from workflow_scripts.settings.decompositions.autoencoder import Autoencoder as AutoencoderSettings

SETTINGS: dict[str, Any] = {
    "method": "autoencoder",
    "widths": [12, 8, 3],
    "tied": [True, False, False],
    "activation": "elu",
    "phases": [{"1_a": 3}, {"1_b": 3}, {"1": 2}, {"2": 3}, {"g": 4}],
    "patience": 50,
    "learning_rate": 0.01,
    "l2": 0.001,
    "batch_size": 32,
    "held_out": 0.2,
    "seed": 0,
    "device": "cpu",
}


def features(n: int = 200, d: int = 20, seed: int = 0) -> np.ndarray:
    """Return correlated features (n, d) float32 far from the origin, with a scale that is not 1."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, d)) / np.arange(1, d + 1)) @ rng.normal(size=(d, d))
    return (5 * X + 30).astype(np.float32)


def write_features(folder: Path, X: np.ndarray) -> str:
    with store.writing(folder / "features.h5", store.provenance("c", "m", {})) as file:
        file["features"] = X
        file["image_id"] = np.array([f"{i:016x}" for i in range(len(X))], dtype="S")
    return str(folder / "features.h5")


def decompose(source: str, path: Path, progress: Any = lambda *_: None, **settings: Any) -> Path:
    autoencoder.decompose(source, str(path), {**SETTINGS, **settings}, "code", progress)
    return path


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_features(tmp_path, features())


def test_untied_and_linear_it_finds_the_principal_subspace(tmp_path: Path) -> None:
    X = features(600, 20)
    linear: dict[str, Any] = {"widths": [20, 15, 4], "tied": [False] * 3, "activation": "linear", "l2": 0}
    decayed = {"phases": [{"g": 200}, {"g": 200}], "learning_rate": 0.002, "patience": 400, "batch_size": 200}
    path = decompose(write_features(tmp_path, X), tmp_path / "ae.h5", **linear, **decayed)
    with store.reading(path) as file:
        held_out = file["held_out"][:]
        attributes = dict(file.attrs)
    training, _, judging = autoencoder.split([f"{i:016x}" for i in range(600)], 0.2, 0)
    assert_array_equal(np.flatnonzero(~held_out), training)
    oracle = PCA(4, svd_solver="full").fit(X[training].astype(np.float64))
    of_pca = np.square(oracle.inverse_transform(oracle.transform(X)) - X)
    of_net = np.square(autoencoder.read(str(path)).reconstruct(X) - X.astype(np.float64))
    assert of_pca[training].mean() < of_net[training].mean() < 1.02 * of_pca[training].mean()
    assert attributes["pca_reconstruction_error"] == pytest.approx(of_pca[judging].mean(), rel=1e-6)
    assert attributes["reconstruction_error"] == pytest.approx(of_net[judging].mean(), rel=1e-6)
    assert attributes["variance"] == pytest.approx(np.square(X[judging] - oracle.mean_).mean(), rel=1e-6)


def test_a_circle_needs_one_number_only_where_the_network_is_curved(tmp_path: Path) -> None:
    angles = np.random.default_rng(0).uniform(0, 1.5 * np.pi, 500)
    X = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(500)]).astype(np.float32)
    settings = {"widths": [40, 20, 1], "phases": [{"g": 200}], "patience": 200, "l2": 0, "tied": [False] * 3}
    with store.reading(decompose(write_features(tmp_path, X), tmp_path / "ae.h5", **settings)) as file:
        assert file.attrs["reconstruction_error"] < 0.05 * file.attrs["pca_reconstruction_error"]


def test_training_is_adam_on_the_error_plus_half_the_squared_weights() -> None:
    """Full batches of a global phase, against torch's own layers and the penalty written out."""
    X = torch.from_numpy(features(40, 6) / 30 - 1)
    net = Autoencoder(6, [5, 4, 2], [True, False, False], "tanh", seed=3)
    layers = [nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 2), nn.Linear(2, 4), nn.Linear(4, 5), nn.Linear(5, 6)]
    sources = [*(pair.encoder for pair in net.pairs), net.pairs[2].decoder, net.pairs[1].decoder]
    for layer, weight in zip(layers, sources, strict=False):
        layer.weight.data = weight.detach().clone()
    for layer in layers:
        layer.bias.data.zero_()
    parameters = [layers[i].weight for i in range(5)] + [layer.bias for layer in layers]
    adam = torch.optim.Adam(parameters, 0.01)
    expected = []
    for _ in range(5):
        x = X
        for layer in layers[:5]:
            x = torch.tanh(layer(x))
        back = x @ layers[0].weight + layers[5].bias
        error = ((back - X) ** 2).mean()
        expected.append(error.item())
        adam.zero_grad()
        (error + 0.05 / 2 * sum((layers[i].weight ** 2).sum() for i in range(5))).backward()
        adam.step()
    rows = np.arange(40)
    recipe = Recipe([("g", 5)], patience=5, learning_rate=0.01, l2=0.05, batch_size=40, seed=0)
    curves = Trainer(net, X, rows, rows, recipe, Checkpoint(None, "")).run(lambda *_: None)
    assert_allclose([row[2] for row in curves[1:]], expected, rtol=1e-5)


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_trains_its_layers_and_no_other(phase: str) -> None:
    X = torch.from_numpy(features(60, 6) / 30 - 1)
    net = Autoencoder(6, [5, 4, 2], [True, False, False], "elu")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    rows = np.arange(60)
    recipe = Recipe([(phase, 2)], patience=5, learning_rate=0.01, l2=0, batch_size=10, seed=0)
    Trainer(net, X, rows, rows, recipe, Checkpoint(None, "")).run(lambda *_: None)
    changed = {int(name.split(".")[1]) for name, value in net.state_dict().items() if not value.equal(before[name])}
    assert changed == {"1_a": {0}, "1_b": {1}, "1": {0, 1}, "2": {2}, "g": {0, 1, 2}}[phase]


def test_an_inner_phase_reconstructs_the_codes_of_the_layers_outside() -> None:
    X = torch.from_numpy(features(60, 6) / 30 - 1)
    net = Autoencoder(6, [5, 4, 2], [False] * 3, "tanh")
    first = net.pairs[0]
    codes = torch.tanh(X @ first.encoder.T + first.encoder_bias)
    second = net.pairs[1]
    back = torch.tanh(
        torch.tanh(codes @ second.encoder.T + second.encoder_bias) @ second.decoder.T + second.decoder_bias
    )
    rows = np.arange(60)
    recipe = Recipe([("1_b", 1)], patience=5, learning_rate=0.01, l2=0, batch_size=10, seed=0)
    curves = Trainer(net, X, rows, rows, recipe, Checkpoint(None, "")).run(lambda *_: None)
    assert curves[0][2] == pytest.approx(((back - codes) ** 2).mean().item(), rel=1e-5)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("epochs_before", [1, 4, 9, 14])
def test_after_a_kill_it_ends_with_the_same_bytes(
    source: str, tmp_path: Path, epochs_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = decompose(source, tmp_path / "whole" / "ae.h5").read_bytes()
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0)
    seen: list[int] = []

    def kill(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) > epochs_before:
            raise KilledError

    path = tmp_path / "killed" / "ae.h5"
    with pytest.raises(KilledError):
        decompose(source, path, kill)
    assert not path.exists()
    resumed: list[int] = []
    decompose(source, path, lambda done, total: resumed.append(done))
    assert resumed[0] == seen[-1]  # the epoch that the kill left without a checkpoint
    assert path.read_bytes() == whole
    assert [file.name for file in path.parent.iterdir()] == ["ae.h5"]


@pytest.mark.parametrize("change", ["settings", "features"])
def test_a_checkpoint_of_other_settings_or_features_is_not_used(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0)

    def kill(done: int, total: int) -> None:
        if done > 1000:
            raise KilledError

    before, was = {"l2": 0.5}, source
    if change == "features":  # of the same images, otherwise preprocessed
        (tmp_path / "before").mkdir()
        before, was = {}, write_features(tmp_path / "before", features(seed=1))
    with pytest.raises(KilledError):
        decompose(was, tmp_path / "ae.h5", kill, **before)
    expected = decompose(source, tmp_path / "other" / "ae.h5").read_bytes()
    assert decompose(source, tmp_path / "ae.h5").read_bytes() == expected


def test_the_number_of_threads_changes_nothing(source: str, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    stores = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            with threadpool_limits(threads):
                stores.append(decompose(source, tmp_path / f"{threads}.h5").read_bytes())
            assert torch.get_num_threads() == threads
            time.sleep(1.1)  # HDF5 may note the time of day, in seconds
    finally:
        torch.set_num_threads(before)
    assert stores[0] == stores[1]
    assert decompose(source, tmp_path / "seeded.h5", seed=1).read_bytes() != stores[0]


def test_new_images_are_placed_alike_by_any_number_of_threads() -> None:
    settings = {"widths": [300, 100, 10], "tied": [True] * 3, "activation": "elu", "seed": 0}
    net = Autoencoder(2048, settings["widths"], settings["tied"], settings["activation"])
    tensors = {autoencoder.PREFIX + name: tensor.numpy() for name, tensor in net.state_dict().items()}
    place = autoencoder.placing({"settings": settings}, tensors)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            found.append(place(features(256, 2048)).tobytes())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert len(set(found)) == 1


def test_what_was_trained_encodes_and_decodes_again(source: str, tmp_path: Path) -> None:
    path = decompose(source, tmp_path / "ae.h5")
    net = autoencoder.read(str(path))
    X = features()
    with store.reading(path) as file:
        scores = file["scores"][:]
        assert store.text(file, "architecture") == "T12-8-3 elu"
        assert_array_equal(store.image_ids(file), [f"{i:016x}" for i in range(200)])
    assert scores.shape == (200, 3)
    assert_array_equal(net.encode(X), scores)
    assert_array_equal(net.decode(scores), net.reconstruct(X))
    assert net.pairs[0].decoder is None
    with torch.no_grad():
        x = (torch.from_numpy(X) - net.mean) / net.scale
        for pair in net.pairs:
            x = nn.functional.elu(x @ pair.encoder.T + pair.encoder_bias)
        assert_allclose(x.numpy(), scores, atol=1e-5)
        x = nn.functional.elu(x @ net.pairs[2].decoder.T + net.pairs[2].decoder_bias)
        x = nn.functional.elu(x @ net.pairs[1].decoder.T + net.pairs[1].decoder_bias)
        x = x @ net.pairs[0].encoder + net.pairs[0].decoder_bias
        assert_allclose((x * net.scale + net.mean).numpy(), net.decode(scores), rtol=1e-5)


def test_a_phase_ends_without_progress_and_keeps_the_best(source: str, tmp_path: Path) -> None:
    settings = {"phases": [{"g": 500}], "learning_rate": 0.05, "patience": 7, "batch_size": 200}
    path = decompose(source, tmp_path / "ae.h5", **settings)
    with store.reading(path) as file:
        curves = file["curves"][:]
    best = curves[:, 3].argmin()
    assert len(curves) == best + 1 + 7 < 500
    _, stopping, _ = autoencoder.split([f"{i:016x}" for i in range(200)], 0.2, 0)
    net, X = autoencoder.read(str(path)), features()[stopping]
    error = np.square((net.reconstruct(X) - X) / float(net.scale)).mean()
    assert error == pytest.approx(curves[best, 3], rel=1e-4)


def test_parts_are_apart_and_copies_of_an_image_in_one() -> None:
    ids = [f"{i:016x}" for i in range(100)] + [f"{i:016x}-2" for i in range(0, 100, 3)]
    parts = autoencoder.split(ids, 0.2, 0)
    assert sorted(np.concatenate(parts)) == list(range(len(ids)))
    contents = [{ids[row].split("-")[0] for row in part} for part in parts]
    assert [len(rows) for rows in contents] == [80, 10, 10]
    assert not contents[0] & contents[1] | contents[1] & contents[2] | contents[0] & contents[2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line(source: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="device: found cuda, but torch sees no GPU here"):
        decompose(source, tmp_path / "ae.h5", device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
def test_a_gpu_gives_the_same_within_rounding(source: str, tmp_path: Path) -> None:
    errors = []
    for device in ("cpu", "cuda"):
        with store.reading(decompose(source, tmp_path / f"{device}.h5", device=device)) as file:
            errors.append(file.attrs["reconstruction_error"])
    assert errors[1] == pytest.approx(errors[0], rel=0.01)


@pytest.mark.parametrize(
    ("X", "settings", "message"),
    [
        (features(4), {}, "found 4 images, too few to hold out 0.2"),
        (np.ones((50, 20), np.float32), {}, "found features that spread by 0"),
        (features(), {"learning_rate": 1e18, "activation": "linear"}, "the loss became inf; try a lower learning_rate"),
    ],
)
def test_mistakes_are_one_line(X: np.ndarray, settings: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        decompose(write_features(tmp_path, X), tmp_path / "ae.h5", **settings)
    assert message in str(error.value)


def test_the_settings_are_what_the_job_reads() -> None:
    given = {"tied": True, "phases": [{1: 5}, {"1_b": 4}, {2: 3}, {"g": 20}], "widths": [12, 8, 3]}
    settings = AutoencoderSettings.model_validate(given).dump()
    assert settings.keys() - {"regress_out"} == SETTINGS.keys()  # which is done to the features before
    assert settings["tied"] == [True, True, True]
    assert settings["phases"] == [{"1": 5}, {"1_b": 4}, {"2": 3}, {"g": 20}]
    assert autoencoder.architecture(settings) == "T12-T8-T3 elu"


@pytest.mark.parametrize(
    "given",
    [{"phases": [{"3": 5}]}, {"phases": [{"g": 5, "1": 5}]}, {"phases": []}, {"widths": [5, 4]}, {"held_out": 1}],
)
def test_settings_that_make_no_sense_are_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        AutoencoderSettings.model_validate(given)
