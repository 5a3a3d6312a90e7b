"""Fine-tune a network: train it on the labelled images, and write a weight file for a backbone."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch
from safetensors.torch import save
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from workflow_scripts.backbones import weights
from workflow_scripts.backbones.calibration import predictions
from workflow_scripts.backbones.extract import CUDA_WORKERS
from workflow_scripts.backbones.normalisation import Normalisation
from workflow_scripts.backbones.trained_parts import trained_parameters
from workflow_scripts.backbones.weight_files import OWN_METADATA
from workflow_scripts.errors import UserError
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.files import replacing
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.io.parallel import threaded_map

log = logging.getLogger(__name__)
PART_SIZE = {"cpu": 4, "cuda": 64}
"""The number of images in a part of a batch, by device. The gradient of one part is computed at once. Several parts are
computed at the same time, with one math thread each, and their gradients are summed in order."""
MOMENTUM = 0.9


@dataclass(frozen=True)
class FineTuning:
    """The settings of fine-tuning.

    `trained` says what is trained: `head` is the last layer, a number n is the last layer and the n blocks before it,
    and `all` is the whole network.
    """

    trained: str | int = "head"
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    epochs: int = 10
    batch_size: int = 32
    test_fraction: float = 0.2
    seed: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "FineTuning":
        """Return the settings from a mapping. Keys that are no settings of fine-tuning are ignored."""
        return cls(**{field.name: settings[field.name] for field in fields(cls) if field.name in settings})


@dataclass(frozen=True)
class Training:
    """A network in training, and the images and targets that it is trained on.

    `targets` (N,) has the class number of each image, -1 for an image without a label. `parameters` are those that are
    trained. Images are resized to `size` x `size` pixels if it is given. `workers` parts of a batch are computed at the
    same time. The argument `rows` (n,) of the methods has the row numbers of images.
    """

    network: nn.Module
    normalisation: Normalisation
    parameters: list[nn.Parameter]
    images: h5py.Dataset | np.ndarray
    targets: np.ndarray
    size: int | None
    device: torch.device
    workers: int

    def parts(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the row numbers `rows` (n,) in parts of `PART_SIZE`. They are sorted first, because HDF5 needs it."""
        rows = np.sort(rows)
        for start in range(0, len(rows), PART_SIZE[self.device.type]):
            yield rows[start : start + PART_SIZE[self.device.type]]

    def logits(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the class scores (n, classes) of the images `rows` (n,), and the class numbers (n,) of these
        images."""
        pixels = self.normalisation.prepare(self.images[rows], self.size, self.device)
        return self.network(pixels), torch.from_numpy(self.targets[rows]).to(self.device)

    def gradient(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        """Return the sum of the losses of the images `rows` (n,), the number of right predictions, and the gradient.

        The gradient is that of the sum, with one tensor for each trained parameter.
        """
        scores, targets = self.logits(rows)
        loss = cross_entropy(scores, targets, reduction="sum")
        return loss.detach(), (scores.argmax(1) == targets).sum(), *torch.autograd.grad(loss, self.parameters)

    def score(self, rows: np.ndarray) -> tuple[Tensor, ...]:
        """Return the sum of the losses of the images `rows` (n,), and the number of right predictions."""
        with torch.no_grad():
            scores, targets = self.logits(rows)
            return cross_entropy(scores, targets, reduction="sum"), (scores.argmax(1) == targets).sum()

    def all_logits(self) -> np.ndarray:
        """Return the class scores of all images, (N, classes) float64."""

        def scores(rows: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                return self.logits(rows)[0].double().cpu().numpy()

        return np.concatenate(list(threaded_map(scores, self.parts(np.arange(len(self.targets))), self.workers)))

    def summed(self, function: Callable[[np.ndarray], tuple[Tensor, ...]], rows: np.ndarray) -> list[Tensor]:
        """Return the tensors that `function` returns, each summed over all parts of `rows` (n,).

        The parts are summed in order, so the result does not depend on the number of workers.
        """
        parts = threaded_map(function, self.parts(rows), self.workers)
        total: list[Tensor] = list(next(parts))
        for part in parts:
            for sum_so_far, value in zip(total, part, strict=True):
                sum_so_far += value
        return total

    def epoch(self, rows: np.ndarray, batch_size: int, optimiser: torch.optim.Optimizer) -> tuple[float, float]:
        """Train once on the images `rows` (n,), in this order; return the mean loss and accuracy during the
        training."""
        total_loss = total_right = 0.0
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            loss, right, *gradient = self.summed(self.gradient, batch)
            for parameter, slope in zip(self.parameters, gradient, strict=True):
                parameter.grad = slope / len(batch)
            optimiser.step()
            total_loss += loss.item()
            total_right += right.item()
        return total_loss / len(rows), total_right / len(rows)

    def evaluate(self, rows: np.ndarray) -> tuple[float, float]:
        """Return the mean loss and accuracy on the images `rows` (n,)."""
        loss, right = self.summed(self.score, rows)
        return loss.item() / len(rows), right.item() / len(rows)


def finetune(
    images: h5py.Dataset | np.ndarray,
    image_ids: Sequence[str],
    labels: Sequence[str],
    backbone: Mapping[str, Any],
    settings: Mapping[str, Any],
    output: Path,
    device: str = "auto",
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
    groups: Sequence[str] | np.ndarray | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train a backbone on the labelled images, write its weights, and predict the classes of all images.

    The images to train on and those held out are chosen by `held_out_split`. The network stays in eval mode: batch
    normalisation keeps its statistics and there is no dropout. So on a CPU the weight file has the same bytes for any
    number of workers. The metadata of the weight file have the classes, the normalisation and the ids of the training
    images.

    Parameters
    ----------
    images : uint8 (N, H, W) or (N, H, W, 3).
    image_ids, labels : N str each; a label is "" if the image has none.
    backbone : the keys of `weights.Backbone`.
    settings : the keys of `FineTuning`.
    output : path of the weight file, .safetensors.
    device : `cpu`, `cuda` or `auto`.
    workers : number of parts of a batch that are computed at the same time on a CPU.
    report : called with (done, total) after each epoch.
    groups : N str, as in `held_out_split`.

    Returns
    -------
    curves : table with the columns `epoch, loss, accuracy, test_loss, test_accuracy`; the first row is before training.
    predictions : table of all images, see `calibration.predictions`.

    Raises `UserError` if there are too few labelled images.
    """
    how, where = FineTuning.of(settings), torch.device(choose_device(device))
    train, test = held_out_split(image_ids, labels, how.test_fraction, how.seed, groups)
    classes = sorted({labels[row] for row in train})
    targets = np.array([classes.index(label) if label else -1 for label in labels])
    loaded = weights.load(backbone, len(classes), side=images.shape[1])
    net = loaded.network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    trained = trained_parameters(net, how.trained)
    chosen = weights.Backbone.of(backbone)
    side_by_side = workers if where.type == "cpu" else CUDA_WORKERS
    training = Training(net, loaded.normalisation, trained, images, targets, chosen.size, where, side_by_side)
    curves = _curves(training, how, train, test, report)
    metadata = {
        "model": chosen.model,
        "classes": classes,
        "normalise": loaded.normalisation.text,
        "trained_on": [image_ids[row] for row in np.sort(train)],
        "started_from": loaded.facts["weights_sha256"],
        "fine_tuning": asdict(how),
    }
    tensors = {name: value.cpu().contiguous() for name, value in net.state_dict().items()}
    with replacing(output) as temporary:
        temporary.write_bytes(save(tensors, {OWN_METADATA: json.dumps(metadata, sort_keys=True)}))
    return curves, predictions(training.all_logits(), labels, classes, test, train)


def _curves(
    training: Training,
    how: FineTuning,
    train: np.ndarray,
    test: np.ndarray,
    report: Callable[[int, int], None] | None,
) -> pd.DataFrame:
    """Train on the rows `train` for all epochs; return the table `curves` that `finetune` describes."""
    optimiser = _optimiser(how, training.parameters)
    curves = [(0, *training.evaluate(train), *training.evaluate(test))]
    random = np.random.default_rng(how.seed)
    for epoch in range(1, how.epochs + 1):
        seen = training.epoch(random.permutation(train), how.batch_size, optimiser)
        curves.append((epoch, *seen, *training.evaluate(test)))
        log.info("epoch %d: loss %.4f, accuracy %.4f; held out: loss %.4f, accuracy %.4f", *curves[-1])
        if report:
            report(epoch, how.epochs)
    return pd.DataFrame(curves, columns=["epoch", "loss", "accuracy", "test_loss", "test_accuracy"])


def held_out_split(
    image_ids: Sequence[str],
    labels: Sequence[str],
    test_fraction: float,
    seed: int,
    groups: Sequence[str] | np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of the images to train on, and of the images to hold out; only labelled images are used.

    `image_ids`, `labels` and `groups` are N texts each, and `test_fraction` is the share to hold out. The split is
    stratified by label. All images of a group are on the same side. Without `groups`, the copies of an image are a
    group. If the images of a group have several classes, the class of the last one counts. Raises `UserError` if there
    are fewer than two classes, if a class is in one group only, or if the images to train on lack a class.
    """
    groups = [content_hash(image) for image in image_ids] if groups is None else groups
    label_of = {group: label for group, label in zip(groups, labels, strict=True) if label}
    classes = sorted({label for label in labels if label})
    counts = Counter(label_of.values())
    if len(classes) < 2:
        raise UserError(f"fine-tuning: found {len(classes)} class(es) among the labels, it needs two or more")
    if rare := [label for label in classes if counts[label] < 2]:
        raise UserError(
            f"fine-tuning: found one image or group of class {', '.join(rare)}, it needs two or more of each class"
        )
    n_test = max(round(test_fraction * len(label_of)), len(counts))
    if len(label_of) - n_test < len(counts):
        raise UserError(
            f"fine-tuning: {len(label_of)} labelled images or groups of {len(counts)} classes are too few to hold some "
            "out"
        )
    _, held_out = train_test_split(
        list(label_of), test_size=n_test, stratify=list(label_of.values()), random_state=seed
    )
    is_test = np.isin(groups, held_out)
    labelled = np.array([bool(label) for label in labels])
    train, test = np.flatnonzero(labelled & ~is_test), np.flatnonzero(labelled & is_test)
    if unseen := sorted({*classes} - {*np.array(labels, dtype=object)[train]}):
        raise UserError(
            f"fine-tuning: no image of class {', '.join(unseen)} is left to train on; label more, or make "
            "test_fraction smaller"
        )
    return train, test


def _optimiser(how: FineTuning, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    if how.optimiser == "sgd":
        return torch.optim.SGD(parameters, how.learning_rate, MOMENTUM)
    return torch.optim.Adam(parameters, how.learning_rate)
