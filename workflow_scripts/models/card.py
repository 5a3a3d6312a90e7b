"""Write a model card in Markdown: what a model is made from, how well it scores, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workflow_scripts.grid.axes import EVERYTHING
from workflow_scripts.io.tables import best_of_repeats, with_k

SCORES = {
    "accuracy_majority": "accuracy, each cluster named after most of its images",
    "accuracy_matched": "accuracy, one cluster for each class",
    "ari": "adjusted Rand index",
    "ami": "adjusted mutual information",
    "silhouette": "mean silhouette",
}
"""Columns of scores that the card shows, with their names."""


def model_card(
    facts: Mapping[str, Any], manifest: pd.DataFrame, scores: pd.DataFrame, weights: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return the card of a model, in Markdown.

    Parameters
    ----------
    facts : the facts of the model (`SavedModel.facts`).
    manifest : the images of the model, with the column `label` (None if missing).
    scores : the table of scores of the model's cell, with all repeats and k.
    weights :
        for each backbone with weights, the facts about its weight file: `weights` (its name), `weights_sha256` and
        `licence`.
    """
    parts = {
        "Data": _data(facts, manifest),
        "Settings": _settings(facts, scores["k"].nunique()),
        "Weights": _weights(facts, weights),
        "Clusters": _clusters(facts["clusters"]),
        "Scores": _scores(facts, scores),
        "Intended use": _use(facts),
        "Limits": _limits(facts, manifest),
    }
    text = "\n\n".join(f"## {title}\n\n{content}" for title, content in parts.items())
    return f"# Model card: {facts['study']} of {facts['dataset']}\n\n{text}\n"


def _data(facts: Mapping[str, Any], manifest: pd.DataFrame) -> str:
    counts = manifest["label"].value_counts().sort_index()
    labels = ", ".join(f"{name} ({count})" for name, count in counts.items()) or "no image has a label"
    subset = facts["cell"]["subset"]
    of = "" if subset == EVERYTHING else f", those of the subset {subset}"
    return (
        f"{facts['images']:,} images of the data set `{facts['dataset']}`{of} (digest of their ids "
        f"`{facts['manifest']}`). Labels: {labels}. {len(facts['held_out']):,} images are held out: new images are not "
        "compared with them, and they decide which novelty is unusual."
    )


def _settings(facts: Mapping[str, Any], n_ks: int) -> str:
    reduction, clusterer = facts["reduction"], facts["clusterer"]
    steps = ", ".join(_call(step, "step") for step in facts["preprocess"]["steps"])
    reduced = "none"
    if reduction["settings"] is not None:
        whitened = ", whitened" if reduction["whiten"] else ""
        reduced = f"{_call(reduction['settings'], 'method')}, {reduction['n_components']} components{whitened}"
    rows = {
        "preprocessing": steps,
        **_networks(facts),
        "reduction": reduced,
        "clusterer": _call(clusterer["clusterer"], "method"),
        "number of clusters": _number_of_clusters(facts, n_ks),
        "seed": clusterer["seed"],
        "code": f"`{facts['code']}`",
    }
    return _table(("setting", "value"), rows.items())


def _networks(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows of the table of settings for the network and the layer.

    If features of several networks are joined, there is one row for each network.
    """
    name, backbone = facts["cell"]["backbone"], facts["backbone"]
    if joined := backbone.get("join"):
        return {f"{name}, {part['backbone']}: {part['layer']}": _call(part, _kind(part)) for part in joined}
    return {"network": f"{name}: {_call(backbone, _kind(backbone))}", "layer": backbone["layer"]}


def _number_of_clusters(facts: Mapping[str, Any], n_ks: int) -> str:
    k = facts["clusterer"]["chosen_k"]
    if k is None:
        return f"{len(facts['clusters'])}, found by the clusterer"
    if n_ks == 1:
        return f"{k}, given"
    return f"{k}, chosen among {n_ks} by the {SCORES[facts['clusterer']['chosen_by']]}"


def _kind(backbone: Mapping[str, Any]) -> str:
    return next(key for key in ("model", "descriptor", "file") if key in backbone)


def _call(settings: Mapping[str, Any], name: str) -> str:
    """Return the settings of a method as a text such as `pca(n_components=50)`.

    `name` is the key whose value is the method's name. Settings that are None, and those that the card names elsewhere,
    are left out.
    """
    elsewhere = {name, "backbone", "layer", "weights", "weights_sha256", "sha256", "scales", "batch_size", "licence"}
    given = [f"{key}={value}" for key, value in settings.items() if key not in elsewhere and value is not None]
    return f"{settings[name]}({', '.join(given)})" if given else str(settings[name])


def _weights(facts: Mapping[str, Any], weights: Mapping[str, Mapping[str, Any]]) -> str:
    parts = {part["backbone"]: part for part in facts["backbone"].get("join", [])}
    parts = parts or {facts["cell"]["backbone"]: facts["backbone"]}
    files = {name: of_file for name, of_file in weights.items() if "weights_sha256" in of_file}
    if not files:
        return "The features do not depend on trained weights."
    return "\n\n".join(_weight_file(name, of_file, parts[name]["weights_sha256"]) for name, of_file in files.items())


def _weight_file(name: str, of_file: Mapping[str, Any], sha256: str) -> str:
    """Return a table, in Markdown, about the weight file of the backbone `name`.

    `of_file` has the facts about the file, and `sha256` is the SHA-256 of the weights that made the features. If the
    file has another SHA-256, the weights were fine-tuned, and the table says so.
    """
    licence = of_file.get("licence") or "not recorded; ask whoever published the weights"
    tuned = {"fine-tuned here, SHA-256": f"`{sha256}`"} if sha256 != of_file["weights_sha256"] else {}
    rows = {"file": f"`{of_file['weights']}`", "SHA-256": f"`{of_file['weights_sha256']}`", "licence": licence, **tuned}
    return _table((name, ""), rows.items())


def _clusters(clusters: Sequence[Mapping[str, Any]]) -> str:
    rows = [(each["name"], each["size"], each["predicted"] or "") for each in clusters]
    return _table(("cluster", "images", "class that it votes for"), rows)


def _scores(facts: Mapping[str, Any], scores: pd.DataFrame) -> str:
    chosen = with_k(best_of_repeats(scores), facts["clusterer"]["chosen_k"])
    rows = [
        (name, f"{values.mean():.3f}", f"{values.min():.3f}", f"{values.max():.3f}")
        for column, name in SCORES.items()
        if column in chosen and len(values := chosen[column].dropna())
    ]
    table = _table(("score", "mean", "lowest", "highest"), rows)
    repeats = f"{len(chosen)} repeat{'s' * (len(chosen) > 1)}"
    where = "on the images that the clusters were computed from, so they are too good for new images"
    return f"Of {repeats} {where}.\n\n{table}"


def _use(facts: Mapping[str, Any]) -> str:
    rate, threshold = f"{facts['novelty']['rate']:.0%}", f"{facts['novelty']['threshold']:.4g}"
    return (
        "To sort images like those above into the clusters above (`snakemake predict`), and to notice images unlike "
        f"them (`snakemake monitor`). At most {rate} of images like those above are called outliers (novelty above "
        f"{threshold}), or 1 in {len(facts['held_out']) + 1} if that is more."
    )


def _limits(facts: Mapping[str, Any], manifest: pd.DataFrame) -> str:
    sentences = [
        "An image always gets a cluster, also one that shows something else: look at its novelty and margin.",
        "Another instrument, magnification or preparation changes the features. Make the model again with such images.",
        "Scores on new images are lower than those above; a cross-validation estimates them.",
        "The model must not decide alone where a mistake does harm.",
    ]
    if manifest["label"].isna().all():
        sentences.append("There are no labels: whether the clusters mean anything was not checked.")
    elif (few := int(manifest["label"].value_counts().min())) < 10:
        sentences.append(f"The smallest class has {few} image{'s' * (few > 1)}.")
    votes = {each["predicted"] for each in facts["clusters"]}
    if missed := sorted(set(manifest["label"].dropna()) - votes):
        sentences.append(f"No cluster votes for {', '.join(missed)}: these classes are never predicted.")
    return "\n".join(f"- {line}" for line in sentences)


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)
