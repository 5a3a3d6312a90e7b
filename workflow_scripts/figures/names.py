"""Say in words what figures show: metrics, k, numbers of images and repeats, and the axes of maps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workflow_scripts.grid.axes import TITLES
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.scores import METRICS, OF_FIGURES
from workflow_scripts.wording import count, decimal, in_sentence

if TYPE_CHECKING:
    import pandas as pd

BY = {name: f", best {METRICS[name].in_sentence}" for name in OF_FIGURES}
"""Text that says in a title that k is the best one by this metric."""
MAP_NAMES = {
    "tsne": "t-SNE",
    "umap": "UMAP",
    "pca": "PC",
    "autoencoder": "Code",
    "ica": "IC",
    "kernel_pca": "Kernel PC",
    "isomap": "Isomap",
}
"""The names of the axes of maps, by the method that made the map."""
BESIDE_ACCURACY = ("largest_class", "accuracy_matched", "ari")
"""Scores that stand beside every accuracy: that of a single cluster, and two scores that more clusters do not raise."""

NEEDS_LABELS = "No labels: the metric of this figure compares clusters with labels."
"""The sentence in place of a figure whose metric needs labels, if there are none."""


def shown(metric: str, values: "pd.Series") -> "pd.Series":
    """Return the values of a metric in the units of its axis label: shares in percent, others unchanged."""
    return values * 100 if METRICS[metric].percent else values


def beside_accuracy(scores: "pd.DataFrame") -> str:
    """Return the scores `BESIDE_ACCURACY` as text, such as `largest class 38.0 %, matched 61.2 %, ARI 0.55`.

    `scores` has these columns, as shares. A score that differs between the rows is given as a range.
    """
    largest, matched, ari = (scores[name].dropna() for name in BESIDE_ACCURACY)
    largest_class, matched_share = (f"{_span(100 * share, 1)}\N{NO-BREAK SPACE}%" for share in (largest, matched))
    return f"largest class {largest_class}, matched {matched_share}, ARI\N{NO-BREAK SPACE}{_span(ari, 2)}"


def accuracy_note(metrics: Iterable[str], scores: "pd.DataFrame") -> str:
    """Return a sentence with the scores of `beside_accuracy`; "" if no metric is an accuracy, or if there are no
    labels."""
    if not any(metric.startswith("accuracy") for metric in metrics):
        return ""
    if scores[[*BESIDE_ACCURACY]].isna().all().any():
        return ""
    return f" Beside accuracy: {beside_accuracy(scores)}."


def k_in_words(first: "pd.Series", after: str = "") -> str:
    """Return a text such as `k = 7, best NMI`, followed by `after`; empty if the clusterer found k itself.

    `first` is a row of a figure's table with `k`, and with `chosen_by` if a metric may have chosen k.
    """
    return "" if first.isna()["k"] else f"k = {first['k']:.0f}{BY.get(first.get('chosen_by'), '')}{after}"


def term_in_words(term: str) -> str:
    """Return the name of a choice, or of a pair of choices (`a × b`), as it stands on axes of figures."""
    names = {**TITLES, "n_components": "Components", "k": "k"}
    first, *others = (names[axis] for axis in term.split(" × "))
    return " × ".join([first, *map(in_sentence, others)])


def n_in_words(inputs: Mapping[str, Any], metrics: Iterable[str] = ()) -> str:
    """Return the number of images of a figure as text, such as `n = 347 images`.

    If its cells have subsets of different sizes, it is a range, such as `n = 300 to 347 images`. If some images have no
    label and one of the `metrics` needs labels, `, 20 with a label` follows. `inputs` are those of `draw`.
    """
    manifests = [read_manifest(path) for path in inputs["subsets"]]
    sizes = [len(manifest) for manifest in manifests]
    labelled = [int(manifest["label"].notna().sum()) for manifest in manifests]
    n = f"n = {_range(sizes)} {'image' if max(sizes) == 1 else 'images'}"
    needed = labelled != sizes and any(labelled) and any(METRICS[name].needs_labels for name in metrics)
    return f"{n}, {_range(labelled)} with a label" if needed else n


def _range(numbers: Sequence[int]) -> str:
    """Return the lowest and the highest of the numbers as text, or one number if they are equal."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def over_repeats(n: int) -> str:
    """Return a text that says how a figure sums up n repeats, such as `mean ± sd over 5 repeats`."""
    return f"mean ± sd over {count(n, 'repeat')}" if n > 1 else "one repeat, no sd"


def _span(values: "pd.Series", decimals: int) -> str:
    """Return the lowest and the highest of the values as text, or one number if they are equal when rounded."""
    low, high = (decimal(value, f".{decimals}f") for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
