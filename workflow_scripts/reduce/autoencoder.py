"""Decomposition by an autoencoder (Coronica 2018, section 3.2).

The autoencoder's codes, which are the output of its innermost layer, are the reduced features.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.io.device import choose_device
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.provenance import digest
from workflow_scripts.reduce.dense import Autoencoder
from workflow_scripts.reduce.pca import fit_pca
from workflow_scripts.reduce.phases import Recipe, Trainer
from workflow_scripts.reduce.protocol import Place
from workflow_scripts.reduce.training import one_thread
from workflow_scripts.seeds import seed

WEIGHTS = "autoencoder"
"""The name of the HDF5 group with the network's tensors."""
PREFIX = "autoencoder."
"""The beginning of the names of the network's tensors in models."""


def decompose(
    source: str,
    path: str,
    settings: Mapping[str, Any],
    code: str,
    progress: Callable[[int, int], None],
) -> None:
    """Train an autoencoder on the feature store `source` and write the codes of all images to the store `path`.

    `settings` are those of `settings.Autoencoder`. The store has `scores` (N, C) float32 (the codes), `held_out` (N,)
    bool (the images that the network was not trained on), `curves` (the errors of every epoch, see `Trainer.run`), and
    the network's tensors in the group `autoencoder`.

    Half of the held-out images decide when a phase of the training ends. The errors are measured on the other half, and
    are attributes of the store:

    - `reconstruction_error`: mean squared error over images and features.
    - `pca_reconstruction_error`: the same of a PCA with as many components, fitted on the same training images.
    - `variance`: mean squared difference from the mean of the training images.
    - `reconstruction_error_se`, `pca_reconstruction_error_se`: standard errors of the first two over the images.

    If the training is killed, the next run continues from the last checkpoint and ends with the same bytes. Raises
    `UserError` if there are too few images, if all features are equal, or if the error becomes infinite.
    """
    with store.reading(source) as features, one_thread():
        X, ids, manifest = features["features"][:], store.image_ids(features), store.text(features, "manifest")
        training, stopping, judging = split(ids, settings["held_out"], settings["seed"])
        net = _prepared(X[training], settings).to(choose_device(settings["device"], "autoencoder: device", "cpu"))
        recipe = Recipe(
            phases=[next(iter(phase.items())) for phase in settings["phases"]],
            **{key: settings[key] for key in ("patience", "learning_rate", "l2", "batch_size", "seed")},
        )
        made_from = digest([code, dict(settings), sha256(X).hexdigest(), list(ids)])
        checkpoint = Checkpoint(Path(path).with_name(f".{Path(path).name}.checkpoint"), made_from)
        on_device = torch.from_numpy(X).to(net.mean.device)
        curves = Trainer(net, on_device, training, stopping, recipe, checkpoint).run(progress)
        facts = {
            "architecture": architecture(settings),
            "n_training": len(training),
            "n_judging": len(judging),
            **errors(net, X, training, judging),
        }
        with store.writing(path, store.provenance(code, manifest, settings, **facts)) as file:
            store.write_row_facts(file, store.row_facts(features))
            store.put(file, "scores", net.encode(X))
            store.put(file, "held_out", ~np.isin(np.arange(len(X)), training))
            store.put(file, "curves", np.array(curves))
            weights = file.create_group(WEIGHTS)
            for name, tensor in net.state_dict().items():
                store.put(weights, name, tensor.cpu().numpy())


def read(path: str) -> Autoencoder:
    """Read the trained autoencoder from the store that `decompose` wrote."""
    with store.reading(path) as file:
        return restored(store.attribute(file, "settings"), {name: tensor[()] for name, tensor in file[WEIGHTS].items()})


def read_tensors(features: str, points: str, n_components: int | None) -> dict[str, np.ndarray]:
    """Return the network's tensors by name, float32; the names begin with `PREFIX` (`protocol.Placing`)."""
    return {PREFIX + name: tensor.numpy() for name, tensor in read(points).state_dict().items()}


def tensor_shapes(
    reduction: Mapping[str, Any], width: int, tensors: Mapping[str, np.ndarray]
) -> dict[str, tuple[int, ...]]:
    """Return an empty dictionary: the network checks the shapes of its tensors itself (`protocol.Placing`).

    Raises `ValueError` if `tensors` has no tensors of the autoencoder.
    """
    if not any(name.startswith(PREFIX) for name in tensors):
        raise ValueError("found no tensors of the autoencoder")
    return {}


def placing(reduction: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Place:
    """Return the function that turns features (n, d) into codes (n, C) float64, on one thread (`protocol.Placing`)."""
    own = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    net = restored(reduction["settings"], own)

    def place(features: np.ndarray) -> np.ndarray:
        with one_thread():
            return net.encode(features).astype(np.float64)

    return place


def restored(settings: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Autoencoder:
    """Return the autoencoder with these settings (`widths`, `tied`, `activation`, `seed`) and tensors by name."""
    net = _empty(len(tensors["mean"]), settings)
    net.load_state_dict({name: torch.from_numpy(np.asarray(tensor)) for name, tensor in tensors.items()})
    return net


def split(image_ids: Iterable[str], held_out: float, base_seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return three arrays of rows: those to train on, those that decide when a phase ends, and those to measure errors
    on.

    A row is the position of an image in `image_ids`. `held_out` is the share of the images that are not trained on;
    half of these are in the second array, and half in the third. Copies of an image are all in the same array. Raises
    `UserError` if there are too few images.
    """
    contents, of_row = np.unique([content_hash(image) for image in image_ids], return_inverse=True)
    order = np.random.default_rng(seed(base_seed, "split")).permutation(len(contents))
    n_each = round(len(contents) * held_out / 2)
    if n_each < 1 or len(contents) - 2 * n_each < 2:
        raise UserError(f"autoencoder: found {len(contents)} images, too few to hold out {held_out:g} of them")
    place = np.empty(len(contents), dtype=int)
    place[order] = np.arange(len(contents))
    judged, stops = place[of_row] < n_each, (n_each <= place[of_row]) & (place[of_row] < 2 * n_each)
    return np.flatnonzero(~judged & ~stops), np.flatnonzero(stops), np.flatnonzero(judged)


def architecture(settings: Mapping[str, Any]) -> str:
    """Return the architecture in the notation of Coronica 2018, for example `T300-100 elu`.

    The numbers are the widths of the encoder's layers, with a T before a layer whose weights are tied; the word is the
    activation.
    """
    pairs = zip(settings["tied"], settings["widths"], strict=True)
    return "-".join(f"{'T' if tied else ''}{width}" for tied, width in pairs) + f" {settings['activation']}"


def errors(net: Autoencoder, X: np.ndarray, training: np.ndarray, judging: np.ndarray) -> dict[str, float]:
    """Return the reconstruction errors of the autoencoder and of a PCA, measured on the rows `judging` of X (N, d).

    The PCA is fitted on the rows `training`. The keys are the names of the store's attributes (see `decompose`).
    """
    pca = fit_pca(X, rows=training, max_components=net.widths[-1])
    centred = X[judging] - pca.mean
    in_pca = centred @ pca.components.T
    of_images = {
        "reconstruction_error": np.square(X[judging] - net.reconstruct(X[judging]).astype(np.float64)).mean(axis=1),
        "pca_reconstruction_error": np.square(centred - in_pca @ pca.components).mean(axis=1),
    }
    means = {name: float(squares.mean()) for name, squares in of_images.items()}
    spreads = {f"{name}_se": float(squares.std() / np.sqrt(len(squares))) for name, squares in of_images.items()}
    return {**means, **spreads, "variance": float(np.square(centred).mean())}


def _empty(n_features: int, settings: Mapping[str, Any]) -> Autoencoder:
    first = seed(settings["seed"], "weights")
    return Autoencoder(n_features, settings["widths"], settings["tied"], settings["activation"], first)


def _prepared(X: np.ndarray, settings: Mapping[str, Any]) -> Autoencoder:
    """Return the untrained network. Its `mean` is the mean of X, its `scale` the root mean square deviation from it.

    Raises `UserError` if this deviation is 0 or not finite.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    scale = np.sqrt(np.square(X - mean).mean())
    if not np.isfinite(scale) or scale == 0:
        raise UserError(f"autoencoder: found features that spread by {scale:g}, allowed: finite and not all the same")
    net = _empty(X.shape[1], settings)
    net.mean.copy_(torch.from_numpy(mean))
    net.scale.fill_(float(scale))
    return net
