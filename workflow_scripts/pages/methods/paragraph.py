"""Write the methods of a run as prose in Pandoc's Markdown; every number is from a table, a store or the settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from workflow_scripts import VERSION
from workflow_scripts.grid.axes import AXES, NAMES, NUMBERS
from workflow_scripts.grid.cells import axes_to_mention, word
from workflow_scripts.scores import METRICS
from workflow_scripts.wording import count, listed

LIBRARIES = {
    "numpy": "NumPy {} [@harris2020]",
    "scipy": "SciPy {} [@virtanen2020]",
    "scikit-learn": "scikit-learn {} [@pedregosa2011]",
    "scikit-image": "scikit-image {} [@vanderwalt2014]",
}
"""Phrases for the libraries that every run uses, with a place for the version."""
OF_METHODS = {
    "torch": ("PyTorch {}", "paszke2019"),
    "torchvision": ("torchvision {}", "torchvision2016"),
    "openTSNE": ("openTSNE {}", "policar2024"),
    "umap-learn": ("umap-learn {}", "mcinnes2018"),
}
"""For each library that only some methods use, its phrase and the source that these methods cite."""
NORMALISED = {
    "imagenet": "less the mean over ImageNet and divided by the standard deviation",
    "caffe": "in the order blue, green, red, less the mean over ImageNet",
    "symmetric": "scaled to the range from −1 to 1",
    "lite": "less 127 and divided by 128",
}
"""Phrases for the normalisations of a network's input that have a name."""
POOLED = {
    "avg": "the mean over all positions of its map",
    "max": "the maximum over all positions of its map",
    "gem": "the generalised mean over all positions of its map",
    "flat": "all values of its map",
    "gram": "the Gram matrix of its channels",
    "cls": "its class token",
    "patch": "the mean of its patch tokens",
    "clspatch": "its class token and the mean of its patch tokens",
}
"""Phrases for the poolings of a layer, by the last part of the layer's name."""
IN_PROSE = {name: metric for name, metric in METRICS.items() if metric.in_prose}
"""The metrics that have a phrase for prose, by their column in the tables."""


@dataclass(frozen=True)
class Run:
    """The facts about a run that its configuration gives.

    A variant is a named group of settings; a cell is one combination of choices, and a study varies some of them.

    Attributes
    ----------
    dataset, seed : id of the data set, and the base of all seeds.
    learns : whether a network was trained on the labels.
    steps : for each preprocessing variant that cells use, the phrases for its steps.
    backbones, reductions, clusterers : a phrase for each variant that cells use.
    maps : phrases for the decompositions that are only drawn as maps.
    numbers : for each clusterer its `k` (empty if it finds k itself), `repeats`, and `restarts` (of each repeat).
    analyses : phrases for the analyses in figures and pages, with their sources.
    baseline : the choices of the studies' baseline, by axis.
    studies : the cells of each study, each as a mapping of axes to values.
    """

    dataset: str
    seed: int
    learns: bool
    steps: Mapping[str, Sequence[str]]
    backbones: Mapping[str, str]
    reductions: Mapping[str, str]
    maps: Sequence[str]
    clusterers: Mapping[str, str]
    numbers: Mapping[str, Mapping[str, Any]]
    analyses: Sequence[str]
    baseline: Mapping[str, Any]
    studies: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Made:
    """The facts about a run that its files give.

    Attributes
    ----------
    images : the rows of the manifest (`label`, `width`, `height`).
    rejected : the number of files that were left out for each reason.
    layers : for each backbone, the number of features of each of its layers.
    inputs : for each network, the name of the normalisation of its input, as in its stores.
    weights : for each backbone with weights, the facts about its weight file (`weights`, `weights_sha256`, `licence`).
    libraries : the versions of each library, as in the stores.
    clusterings : the number of scored clusterings of each study.
    scored : the columns of scores that have values.
    snakemake, python : the versions of Snakemake and Python.
    """

    images: Sequence[Mapping[str, str]]
    rejected: Mapping[str, int]
    layers: Mapping[str, Mapping[str, int]]
    inputs: Mapping[str, str]
    weights: Mapping[str, Mapping[str, Any]]
    libraries: Mapping[str, Sequence[str]]
    clusterings: Mapping[str, int]
    scored: frozenset[str]
    snakemake: str
    python: str


def methods_text(run: Run, made: Made) -> str:
    """Return the methods of a run in Pandoc's Markdown: a heading, and a paragraph for each stage."""
    paragraphs = {
        "Images": _images(run, made),
        "Preprocessing": _preprocessing(run),
        "Features": _features(run, made),
        "Dimensionality reduction": _reduction(run),
        "Clustering": _clustering(run),
        "Design": _design(run, made),
        "Evaluation": _evaluation(run, made),
    }
    text = "\n\n".join(f"**{title}.** {' '.join(sentences)}" for title, sentences in paragraphs.items())
    return f"# Methods\n\n{text}\n\n**Software.** {' '.join(_software(run, made, text))}\n"


def _images(run: Run, made: Made) -> list[str]:
    labels = [row["label"] for row in made.images if row["label"]]
    sizes = sorted({labels.count(label) for label in set(labels)})
    classes = f" of {count(len(set(labels)), 'class', 'classes')} ({_span(sizes)} images each)" if labels else ""
    sides = sorted({int(row[side]) for row in made.images for side in ("width", "height") if row[side]})
    measured = f" Their sides measured {_span(sides)} pixels." if sides else ""
    unlabelled = len(made.images) - len(labels)
    sentences = [f"The data set *{run.dataset}* comprised {count(len(made.images), 'image')}{classes}.{measured}"]
    if labels and unlabelled:
        sentences.append(f"Of these, {unlabelled:,} had no label.")
    if made.rejected:
        reasons = listed(f"{number:,} ({reason})" for reason, number in made.rejected.items())
        sentences.append(f"Files were left out for the following reasons: {reasons}.")
    if not labels:
        return [*sentences, "There were no labels."]
    learned = " and, for the networks of which this is said, to train them" if run.learns else ""
    return [*sentences, f"Labels were used only to score clusters{learned}."]


def _preprocessing(run: Run) -> list[str]:
    phrases = {name: listed(steps) for name, steps in run.steps.items()}
    if len(phrases) == 1:
        return [f"The preprocessing consisted of {phrase}." for phrase in phrases.values()]
    return [f"{_number(len(phrases))} variants of preprocessing were compared.", *_each(phrases, "consisted of")]


def _features(run: Run, made: Made) -> list[str]:
    sentences = []
    for name, phrase in run.backbones.items():
        layers = made.layers[name]
        sizes = listed(f"{layer} ({width:,})" for layer, width in layers.items())
        sentences.append(f"Features were computed by {phrase}; the layers, with the number of features, were {sizes}.")
        sentences += _input(made.inputs.get(name)) + _weights(made.weights.get(name))
    return sentences + _poolings(layer for layers in made.layers.values() for layer in layers)


def _input(normalisation: str | None) -> list[str]:
    if normalisation is None:
        return []
    phrase = NORMALISED.get(normalisation.split(" ")[0], f"normalised by `{normalisation}`")
    return [f"An image entered it as three channels, equal ones if it was grey, {phrase}."]


def _poolings(layers: Iterable[str]) -> list[str]:
    """Return a sentence about the poolings in the names of layers, such as `fire9_avg`; no sentence if there is
    none."""
    parts = {part for layer in layers for name in layer.split("+") for part in name.split("_")[1:]}
    phrases = [f"*{pooling}*, {phrase}" for pooling, phrase in POOLED.items() if pooling in parts]
    return [f"The end of a layer's name says what was taken of it: {'; '.join(phrases)}."] if phrases else []


def _weights(facts: Mapping[str, Any] | None) -> list[str]:
    if facts is None:
        return []
    if "weights_sha256" not in facts:
        return ["The weights were random and were not trained."]
    licence = f"their licence is {facts['licence']}" if facts.get("licence") else "their licence is not recorded"
    return [f"The weights were `{facts['weights']}` (SHA-256 of the file `{facts['weights_sha256']}`; {licence})."]


def _reduction(run: Run) -> list[str]:
    cells = [cell for cells in run.studies.values() for cell in cells]
    sentences = []
    for name, phrase in run.reductions.items():
        of_it = [cell for cell in cells if cell["decomposition"] == name]
        which = f" (*{name}*)" if len(run.reductions) > 1 else ""
        sentences.append(f"The features were reduced by {phrase}{_components(of_it)}{which}.")
    if any(cell["decomposition"] not in run.reductions for cell in cells):
        sentences.append(f"{'Some cells' if run.reductions else 'All cells'} clustered the features without reduction.")
    return sentences + [f"Maps of the images were computed by {phrase}." for phrase in run.maps]


def _components(cells: Iterable[Mapping[str, Any]]) -> str:
    """Return a phrase with the numbers of components of the cells and their whitening; "" if no cell has components."""
    cells = list(cells)
    numbers = sorted({cell["n_components"] for cell in cells if cell["n_components"]})
    if not numbers:
        return ""
    whitened = {cell["whiten"] for cell in cells}
    how = "with and without whitening" if len(whitened) == 2 else "with whitening" if True in whitened else "unwhitened"
    return f" to {listed(numbers)} {'component' if numbers == [1] else 'components'}, {how}"


def _clustering(run: Run) -> list[str]:
    variants: dict[str, list[str]] = {}
    for name, phrase in run.clusterers.items():
        variants.setdefault(phrase, []).append(f"*{name}* ({_numbers(**run.numbers[name])})")
    methods = [f"by {phrase}: {listed(names)}" for phrase, names in variants.items()]
    return [f"Images were clustered {'; '.join(methods)}."] if methods else []


def _numbers(k: Sequence[int], repeats: int, restarts: int) -> str:
    """Return the numbers of clusters, of repeats, and of restarts in each repeat as a phrase."""
    numbers = [f"k = {listed(_runs_of(k))}"] if k else ["k found by the method"]
    if repeats > 1:
        return ", ".join(
            [*numbers, f"{repeats} repeats" + f" of {restarts} restarts" * (restarts > 1) + " with different seeds"]
        )
    return ", ".join([*numbers, f"{restarts} restarts"] if restarts > 1 else numbers)


def _design(run: Run, made: Made) -> list[str]:
    sentences = [f"Unless a study says otherwise, the choices were {listed(_choices(run.baseline))}."]
    for study, cells in run.studies.items():
        values = {axis: list(dict.fromkeys(cell[axis] for cell in cells)) for axis in AXES}
        varied = {axis: several for axis, several in values.items() if len(several) > 1}
        other = {axis: one for axis, (one, *more) in values.items() if not more and one != run.baseline[axis]}
        crossed = len(varied) > 1 and prod(map(len, varied.values())) == len(cells)
        size = f"{count(len(cells), 'cell')}, {count(made.clusterings[study], 'clustering')}"
        what = _varied(varied) + " in all combinations" * crossed
        instead = f", with {listed(_choices(other))}" if other else ""
        sentences.append(f"Study *{study}* {what}{instead}: {size}.")
    return sentences


def _choices(chosen: Mapping[str, Any]) -> list[str]:
    """Return the chosen value of each axis as a phrase, such as `layer *fire9_avg*` or `whitened`."""
    return [
        f"{AXES[axis].title.lower()} *{chosen[axis]}*" if AXES[axis].kind == NAMES else word(axis, chosen[axis])
        for axis in axes_to_mention(chosen, [axis for axis in AXES if axis in chosen])
    ]


def _varied(values: Mapping[str, Sequence[Any]]) -> str:
    """Return a phrase with the axes that a study varied and their values."""
    if not values:
        return "varied nothing"
    named = [f"the {AXES[axis].title.lower()} ({_values(axis, of_axis)})" for axis, of_axis in values.items()]
    return f"varied {listed(named)}"


def _values(axis: str, values: Sequence[Any]) -> str:
    if AXES[axis].kind == NUMBERS:
        return listed(sorted(value for value in values if value is not None) + ["all"] * (None in values))
    return listed(word(axis, value) for value in values)


def _evaluation(run: Run, made: Made) -> list[str]:
    scored = [metric for column, metric in IN_PROSE.items() if column in made.scored]
    with_labels = [metric.in_prose for metric in scored if metric.needs_labels]
    without = [metric.in_prose for metric in scored if not metric.needs_labels]
    sentences = [f"Clusters were compared with labels by {listed(with_labels)}."] if with_labels else []
    sentences += [f"Without labels, clusters were scored by {listed(without)}."] if without else []
    return sentences + ([f"Further analyses gave {listed(run.analyses)}."] if run.analyses else [])


def _software(run: Run, made: Made, text: str) -> list[str]:
    used = [phrase.format(listed(made.libraries[name])) for name, phrase in LIBRARIES.items() if name in made.libraries]
    used += [
        phrase.format(listed(made.libraries[name]))
        for name, (phrase, key) in OF_METHODS.items()
        if name in made.libraries and f"@{key}" in text
    ]
    below = f"Snakemake {made.snakemake} [@moelder2021] and Python {made.python}"
    return [
        f"The analysis was run as a workflow of Clustergrid {VERSION} under {below}.",
        f"Results were computed with {listed(used)}.",
        f"All random seeds were derived from the base seed {run.seed}.",
    ]


def _each(phrases: Mapping[str, str], verb: str) -> list[str]:
    return [f"*{name}* {verb} {phrase}." for name, phrase in phrases.items()]


def _span(numbers: Sequence[int]) -> str:
    """Return the range of sorted numbers as text, such as `3 to 9`."""
    return f"{numbers[0]:,}" if numbers[0] == numbers[-1] else f"{numbers[0]:,} to {numbers[-1]:,}"


def _runs_of(numbers: Sequence[int]) -> list[str]:
    """Return numbers as texts; three or more consecutive integers become one range, such as `2 to 14`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [text for run in runs for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]


def _number(n: int) -> str:
    return dict(enumerate(("Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"), 2)).get(n, str(n))
