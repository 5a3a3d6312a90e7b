"""Fine-tuning against a plain training loop; the bytes do not depend on workers; the weight file can be used."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from workflow_scripts.backbones import weights
from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.finetune import finetune, held_out_split
from workflow_scripts.errors import UserError
from workflow_scripts.io import store

BACKBONE = {"model": "squeezenet1_1", "weights": "random", "seed": 3}
N = 30


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Return images of dark and of bright noise."""
    rng = np.random.default_rng(0)
    return (rng.integers(0, 100, (N, 40, 40)) + np.arange(N)[:, None, None] % 2 * 150).astype(np.uint8)


IDS = [f"{number:016x}" for number in range(N)]
LABELS = ["bright" if number % 2 else "dark" for number in range(N)]


def train(images, path, settings, **options):
    return finetune(images, IDS, LABELS, BACKBONE, settings, path, device="cpu", **options)


def state(path):
    return weights.read(path, "squeezenet1_1")[0]


@pytest.mark.parametrize("trained", ["head", 1, "all"])
def test_one_step_is_that_of_a_plain_loop(images, tmp_path, trained):
    """Compare one step of SGD on a batch of all training images with loss.backward() on the whole batch."""
    settings = {"trained": trained, "optimiser": "sgd", "learning_rate": 0.05, "epochs": 1, "batch_size": N}
    train(images, tmp_path / "net.safetensors", settings)
    found = state(tmp_path / "net.safetensors")

    loaded = weights.load(BACKBONE, n_classes=2)
    net, start = loaded.network, {name: value.clone() for name, value in loaded.network.state_dict().items()}
    rows, _ = held_out_split(IDS, LABELS, 0.2, 0)
    targets = torch.tensor([0 if LABELS[row] == "bright" else 1 for row in rows])
    pixels = loaded.normalisation.prepare(images[rows], None, torch.device("cpu"))
    cross_entropy(net(pixels), targets).backward()
    for name, parameter in net.named_parameters():
        moves = trained == "all" or name.startswith(
            ("classifier.1.", "features.12.") if trained == 1 else "classifier.1."
        )
        expected = start[name] - 0.05 * parameter.grad if moves else start[name]
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-6)
        assert moves or torch.equal(found[name], start[name])


def test_any_number_of_workers_gives_the_same_bytes(images, tmp_path):
    settings = {"trained": "all", "epochs": 2, "batch_size": 11}
    one = train(images, tmp_path / "one.safetensors", settings, workers=1)
    three = train(images, tmp_path / "three.safetensors", settings, workers=3)
    assert all(a.equals(b) for a, b in zip(one, three, strict=True))
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "three.safetensors").read_bytes()


def test_it_learns_and_the_file_is_a_backbone_that_marks_what_it_saw(images, tmp_path):
    path = tmp_path / "net.safetensors"
    settings = {"trained": "all", "optimiser": "sgd", "learning_rate": 0.01, "epochs": 8, "batch_size": 8}
    curves, predicted = train(images, path, settings)
    assert curves.columns.tolist() == ["epoch", "loss", "accuracy", "test_loss", "test_accuracy"]
    assert curves.epoch.tolist() == list(range(9))
    assert curves.test_accuracy.iloc[-1] == 1
    assert curves.test_accuracy.iloc[0] == 0.5
    assert curves.loss.iloc[-1] < 0.6 * curves.loss.iloc[0]

    backbone = {"model": "squeezenet1_1", "weights": str(path)}
    outputs = {layer: tmp_path / f"{layer}.h5" for layer in ("fire9_avg", "logits")}
    copies = np.concatenate([images, images[:1], images[:1]])
    ids = [*IDS, f"{IDS[0]}-2", "never-seen"]
    extract(copies, ids, backbone, outputs, {}, device="cpu")
    rows, held_out = held_out_split(IDS, LABELS, 0.2, 0)
    with store.reading(outputs["logits"]) as file:
        right = file["features"][:N].argmax(1) == [["bright", "dark"].index(label) for label in LABELS]
        seen = file["trained_on"][:]
    assert right[held_out].mean() == curves.test_accuracy.iloc[-1]
    assert np.flatnonzero(seen[:N]).tolist() == rows.tolist()
    assert np.flatnonzero(predicted.known == "trained on").tolist() == rows.tolist()
    assert ((predicted.predicted == LABELS) == right).all()
    assert seen[N:].tolist() == [0 in rows, False]


def test_a_store_of_a_network_that_saw_no_label_has_no_marks(images, tmp_path):
    extract(images[:2], IDS[:2], BACKBONE, {"fire2_avg": tmp_path / "a.h5"}, {}, device="cpu")
    with store.reading(tmp_path / "a.h5") as file:
        assert "trained_on" not in file


def test_the_split_is_stratified_and_keeps_copies_together():
    labels = ["a"] * 40 + ["b"] * 20 + [""] * 10 + ["a"] * 40
    ids = [str(number) for number in range(70)] + [f"{number}-2" for number in range(40)]
    rows, held_out = held_out_split(ids, labels, 0.25, seed=1)
    assert sorted([*rows, *held_out]) == [*range(60), *range(70, 110)]
    hashes = [{ids[row].split("-")[0] for row in part} for part in (rows, held_out)]
    assert not hashes[0] & hashes[1]
    assert sum(labels[row] == "b" for row in held_out) == 5
    assert sum(labels[row] == "a" for row in held_out) == 2 * 10
    assert held_out.tolist() != held_out_split(ids, labels, 0.25, seed=2)[1].tolist()


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a"] * 4, "found 1 class"),
        (["", "", "", ""], "found 0 class"),
        (["a", "a", "a", "b"], "one image or group of class b"),
    ],
)
def test_too_little_to_learn_from_is_one_line(labels, says):
    with pytest.raises(UserError, match=says):
        held_out_split(["1", "2", "3", "4"], labels, 0.2, 0)


def test_a_class_that_is_held_out_whole_is_one_line():
    labels = ["a"] * 100 + ["b"] * 2
    with pytest.raises(UserError, match="no image of class b is left to train on"):
        held_out_split([str(number) for number in range(102)], labels, 0.9, 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides_of_the_split(seed):
    random = np.random.default_rng(seed)
    groups = random.integers(0, 30, 200).astype(str)
    labels = np.array(["a", "b", "c"])[groups.astype(int) % 3]
    mixed = random.choice(200, 10)
    labels[mixed] = "a"  # a specimen may have images of several classes
    rows, held_out = held_out_split([str(n) for n in range(200)], list(labels), 0.25, seed, groups)
    assert sorted([*rows, *held_out]) == list(range(200))
    assert not set(groups[rows]) & set(groups[held_out])
    assert len(set(groups[held_out])) == round(0.25 * len(set(groups)))


def test_a_class_of_one_group_cannot_be_held_out():
    with pytest.raises(UserError, match="one image or group of class b"):
        held_out_split(list("123456"), list("aaabbb"), 0.2, 0, list("xyzwww"))
