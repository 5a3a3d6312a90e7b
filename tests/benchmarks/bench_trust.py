"""Which rule finds a good cell without labels, what the consensus is worth, and what a few labels add; prints Markdown.

`python -m tests.benchmarks.bench_trust SHARED CACHE`

SHARED holds `data/neu` (steel) and `data/sets`; the crops come with scikit-image. Of sets with more images than 600 so
many are drawn, of steel all are taken. Features are kept in the folder CACHE: the first run takes some minutes longer.
Each set has 96 cells (2 preprocessings x 4 layers of SqueezeNet x 6 numbers of components x whitened or not), clustered
by k-means (best of 30) into as many clusters as there are classes, steel also into 7, the published number.
"""

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import fastcluster
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from tests.benchmarks.trust_features import AXES, BLENDS, Cells, LabelledSet, cells, features, labelled_sets
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.clusterers.linkage import cut
from workflow_scripts.consensus import few_labels as of_labels
from workflow_scripts.consensus import trust as module
from workflow_scripts.consensus.agreement import agreement_matrix, agreement_with, compact
from workflow_scripts.consensus.consensus import Consensus, consensus, votes_for_groups
from workflow_scripts.consensus.few_labels import with_labels
from workflow_scripts.consensus.trust import Trust, cell_weights, opinions, support, trust, votes
from workflow_scripts.io.points import reduced
from workflow_scripts.metrics import score_restarts
from workflow_scripts.reduce.pca import fit_pca

SHIPPED = "agreement, one vote an opinion"
STEEL_K = 7
N_SAMPLES = 300
NEAR_BEST = 0.02
FEW = (5, 10, 20, 50, 100)
PRIORS = (0.0, 30.0)
DRAWS = 20
Answers = dict[str, tuple[LabelledSet, Cells, Trust, np.ndarray]]
"""By name of the set: the set, its cells, their trust, and their ARI with the labels (C,)."""


def rules(of_set: Cells, trusted: Trust) -> Iterator[tuple[str, np.ndarray]]:
    """What each rule thinks of the cells, (C,)."""
    n_cells = len(of_set.choices)
    agreement, everyone = trusted.agreement, np.ones(n_cells)
    yield SHIPPED, trusted.table["agreement"].to_numpy()
    yield "the same, foreign cells only", trusted.table["foreign"].to_numpy()
    yield "agreement, one vote a cell", support(agreement, everyone, ~np.eye(n_cells, dtype=bool))
    for threshold in (0.8, 0.9, 0.99):
        module.ONE_OPINION, shipped = threshold, module.ONE_OPINION
        opinion = opinions(agreement)
        module.ONE_OPINION = shipped
        others = opinion[:, None] != opinion
        yield f"opinions from {threshold:g}", support(agreement, votes(agreement, opinion), others)
    seeds = [agreement_matrix(repeats) for repeats in of_set.repeats]
    yield "stability over seeds", np.array([matrix[np.triu_indices(len(matrix), 1)].mean() for matrix in seeds])
    yield "stability under resampling", of_set.resampled
    yield "silhouette", of_set.silhouettes


def ranking(answers: Answers) -> pd.DataFrame:
    """Mean Spearman correlation with the ARI and mean ARI of the pick, by rule, with 95 % intervals.

    The intervals are percentiles over samples of the sets, and within each of the cells.
    """
    scores = {name: dict(rules(of_set, trusted)) for name, (_, of_set, trusted, _) in answers.items()}
    ari = {name: answer[3] for name, answer in answers.items()}
    names = list(answers)
    rng = np.random.default_rng(0)
    draws = [
        [(name, rng.integers(len(ari[name]), size=len(ari[name]))) for name in rng.choice(names, len(names))]
        for _ in range(N_SAMPLES)
    ]
    rows = []
    for rule in scores[names[0]]:
        by_set = {name: spearmanr(scores[name][rule], ari[name])[0] for name in names}
        picks = {name: ari[name][scores[name][rule].argmax()] for name in names}
        sampled = [
            np.mean(
                [
                    (
                        spearmanr(scores[name][rule][drawn], ari[name][drawn])[0],
                        _pick(scores[name][rule], ari[name], drawn),
                    )
                    for name, drawn in draw
                ],
                axis=0,
            )
            for draw in draws
        ]
        low, high = np.quantile(sampled, [0.025, 0.975], axis=0)
        rows.append(
            {
                "rule": rule,
                "Spearman": f"{np.mean(list(by_set.values())):.2f} ({low[0]:.2f} to {high[0]:.2f})",
                "ARI of the pick": f"{np.mean(list(picks.values())):.2f} ({low[1]:.2f} to {high[1]:.2f})",
                **{name: f"{by_set[name]:.2f}; {picks[name]:.2f}" for name in names},
            }
        )
    for rule, value in (("(best cell)", np.max), ("(median cell)", np.median)):
        of_sets = {name: float(value(ari[name])) for name in names}
        mean = f"{np.mean(list(of_sets.values())):.2f}"
        rows.append(
            {"rule": rule, "ARI of the pick": mean, **{name: f"{picked:.2f}" for name, picked in of_sets.items()}}
        )
    return pd.DataFrame(rows)


def _pick(scores: np.ndarray, ari: np.ndarray, rows: np.ndarray) -> float:
    """ARI of the best of a sample of the cells."""
    return float(ari[rows[scores[rows].argmax()]])


def weightings(trusted: Trust) -> dict[str, np.ndarray]:
    """Ways to weigh the cells in a consensus, (C,) each."""
    vote, agreement = trusted.table["vote"].to_numpy(), trusted.table["agreement"].to_numpy()
    best = (agreement >= np.quantile(agreement, 0.75)).astype(float)
    return {
        "vote x agreement": cell_weights(trusted),
        "vote": vote,
        "every cell 1": np.ones(len(vote)),
        "best quarter": best,
        "best quarter, by vote": best * vote,
    }


def of_consensus(answers: Answers) -> pd.DataFrame:
    """ARI of the consensus by weights, and how well doubtful images find the wrong ones (ROC area)."""
    rows = []
    for name, (data, of_set, trusted, ari) in answers.items():
        k = int(of_set.partitions.max()) + 1
        row = {"set": name, "k": k, "best cell": ari.max(), "pick": ari[trusted.best], "verdict": trusted.verdict}
        for weighting, weights in weightings(trusted).items():
            result = consensus(of_set.partitions, k, weights)
            row[weighting] = score_restarts(result.group[None], data.labels)["ari"][0]
            if weighting == "vote x agreement":
                wrong, known = wrong_images(result, data.labels)
                if wrong.any() and not wrong.all():
                    row["wrong, by margin"] = roc_auc_score(wrong, -result.margin[known])
                    row["wrong, by agreement"] = roc_auc_score(wrong, -result.agreement[known])
                row["wrong"] = wrong.mean()
                row["of each repeat"] = " ".join(
                    f"{value:.3f}" for value in of_repeats(of_set, weights, k, data.labels)
                )
        rows.append(row)
    return pd.DataFrame(rows)


def of_repeats(of_set: Cells, weights: np.ndarray, k: int, labels: np.ndarray) -> np.ndarray:
    """ARI of the consensus of each repeat of the cells: what the seed alone does."""
    groups = [consensus(of_set.repeats[:, repeat], k, weights).group for repeat in range(of_set.repeats.shape[1])]
    return score_restarts(np.stack(groups), labels)["ari"]


def other_rules(answers: Answers) -> pd.DataFrame:
    """ARI of the consensus by the rule that groups the images, mean and each of the repeats of the cells.

    Average linkage is what is shipped. Ward linkage and k-means take the rows of the indicators of all clusters, scaled
    by the roots of the cells' weights, so that squared distances are 2 - 2 x co-association; the most agreeing is the
    one of the three whose mean ARI with the cells, by their weights, is highest.
    """
    rows = []
    for name, (data, of_set, _, _) in answers.items():
        k = int(of_set.partitions.max()) + 1
        aris: dict[str, list[float]] = {}
        for partitions in of_set.repeats.transpose(1, 0, 2).astype(int):
            weights = cell_weights(trust(partitions, of_set.choices, n_samples=1))
            points = (partitions[:, :, None] == np.arange(k)) * np.sqrt(weights)[:, None, None]
            points = points.transpose(1, 0, 2).reshape(partitions.shape[1], -1)
            groups = {
                "average linkage": consensus(partitions, k, weights).group,
                "Ward linkage": cut(fastcluster.linkage_vector(points, "ward"), k),
                "k-means": KMeans(k, n_init=10, random_state=0).fit_predict(points),
            }
            agreeing = {
                rule: weights @ agreement_with(partitions, of_rule[None])[0] for rule, of_rule in groups.items()
            }
            groups["the most agreeing"] = groups[max(agreeing, key=lambda rule: agreeing[rule])]
            for rule, of_rule in groups.items():
                aris.setdefault(rule, []).append(score_restarts(of_rule[None], data.labels)["ari"][0])
        said = {rule: f"{np.mean(of):.3f} ({' '.join(f'{value:.3f}' for value in of)})" for rule, of in aris.items()}
        rows.append({"set": name, "k": k, **said})
    return pd.DataFrame(rows)


def other_weights(answers: Answers) -> pd.DataFrame:
    """ARI of the consensus by the weights of the cells, mean of the four repeats of all cells, by set."""
    aris: dict[str, dict[str, list[float]]] = {}
    for name, data, partitions, choices in _repeats(answers):
        trusted = trust(partitions, choices, n_samples=1)
        vote = trusted.table["vote"].to_numpy()
        agreement, foreign = (trusted.table[column].clip(lower=0).to_numpy() for column in ("agreement", "foreign"))
        rules_of_weights = {
            "vote x agreement": cell_weights(trusted),
            **{f"vote x agreement^{power}": vote * agreement**power for power in (2, 4, 8)},
            "vote x foreign agreement": vote * foreign,
            "vote x exp(30 x agreement)": vote * np.exp(30 * (agreement - agreement.max())),
            "better half, by vote": vote * (agreement >= np.median(agreement)),
            "agreement": agreement,
        }
        for rule, weights in rules_of_weights.items():
            group = consensus(partitions, int(partitions.max()) + 1, weights).group
            found = score_restarts(group[None], data.labels)["ari"][0]
            aris.setdefault(rule, {}).setdefault(name, []).append(found)
    return _means("weights", aris)


def other_measures(answers: Answers) -> pd.DataFrame:
    """ROC areas of measures of an image for the wrong images, and for blends among others: means of four repeats."""
    areas: dict[str, dict[str, list[float]]] = {}
    for name, data, partitions, choices in _repeats(answers):
        weights = cell_weights(trust(partitions, choices, n_samples=1))
        result = consensus(partitions, int(partitions.max()) + 1, weights)
        blended = data.labels == ""
        if "blends" in name:
            sought, among = blended, np.ones(len(blended), dtype=bool)
        else:
            sought, among = wrong_images(result, data.labels)
        for measure, values in measures(result, partitions, weights).items():
            areas.setdefault(measure, {}).setdefault(name, []).append(roc_auc_score(sought, -values[among]))
    return _means("measure", areas)


def measures(result: Consensus, partitions: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Measures of how firmly an image belongs to its group, (N,) each."""
    on_its_side = weights @ (votes_for_groups(compact(partitions), result) > 0) / weights.sum()
    own, second = result.agreement, result.second_agreement
    return {
        "margin (shipped)": result.margin,
        "agreement": own,
        "agreement x margin": own * result.margin,
        "margin / (agreement + that with the second group)": result.margin / np.maximum(own + second, 1e-9),
        "share of the cells that have it nearer to its group": on_its_side,
        "that share x margin": on_its_side * result.margin,
    }


def _repeats(answers: Answers) -> Iterator[tuple[str, LabelledSet, np.ndarray, pd.DataFrame]]:
    """The name of each set, its images, the partitions (C, N) of one repeat, and the choices."""
    for name, (data, of_set, _, _) in answers.items():
        for partitions in of_set.repeats.transpose(1, 0, 2).astype(int):
            yield name, data, partitions, of_set.choices


def _means(rule: str, found: Mapping[str, Mapping[str, list[float]]]) -> pd.DataFrame:
    rows = [{rule: name, **{of: np.mean(values) for of, values in sets.items()}} for name, sets in found.items()]
    return pd.DataFrame(rows)


def wrong_images(result: Consensus, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labelled images whose group votes for another class, and which are labelled."""
    known = labels != ""
    table = pd.crosstab(result.group[known], labels[known])
    return labels[known] != table.idxmax(axis=1).loc[result.group[known]].to_numpy(), known


def placed(vectors: Mapping[tuple[str, str], np.ndarray], whole: np.ndarray) -> pd.DataFrame:
    """Where images go that a consensus has not seen, by the rule that places them: shares that agree, three draws.

    A fifth of the images is held out of the reductions, of the clusterings of 32 cells and of their consensus, and then
    placed. It should go where `whole` (N,), a consensus of all images, has it; groups are matched on the fitted images.
    """
    k = int(whole.max()) + 1
    rules = {
        "nearest centre": NearestCentroid(),
        "nearest image": KNeighborsClassifier(1),
        "ten nearest images": KNeighborsClassifier(10),
    }
    rows = []
    for draw in range(3):
        held, fitted = np.split(np.random.default_rng(draw).permutation(len(whole)), [len(whole) // 5])
        spaces = list(_spaces(vectors, fitted))
        partitions = np.stack([run_restarts(points[fitted], k, 20, [0]).best_labels[0] for _, points in spaces])
        choices = pd.DataFrame([choice for choice, _ in spaces], columns=AXES)
        trusted = trust(partitions, choices, n_samples=1)
        group = consensus(partitions, k, cell_weights(trusted)).group
        match = linear_sum_assignment(-pd.crosstab(whole[fitted], group).to_numpy())[1]
        middle = trusted.table["agreement"].argsort().iloc[len(spaces) // 2]
        for cell, (_, points) in {"most trusted": spaces[trusted.best], "median": spaces[middle]}.items():
            for rule, model in rules.items():
                said = model.fit(points[fitted], group).predict(points[held])
                rows.append({"points of the": f"{cell} cell", "to": rule, "agree": (said == match[whole[held]]).mean()})
    shares = pd.DataFrame(rows).groupby(["points of the", "to"], sort=False)["agree"]
    return shares.agg(["mean", "min", "max"]).reset_index()


def _spaces(
    vectors: Mapping[tuple[str, str], np.ndarray], fitted: np.ndarray
) -> Iterator[tuple[tuple[Any, ...], np.ndarray]]:
    """The choices and the points of all images in cells whose reductions are fitted to some."""
    for (preprocess, layer), of_layer in vectors.items():
        pca = fit_pca(of_layer[fitted], max_components=50)
        scores = np.concatenate([chunk for _, chunk in pca.transform(of_layer)])
        for n_components, whiten in product((20, 50), (False, True)):
            points, _ = reduced(scores, pca.explained_variance, n_components, whiten)
            yield (preprocess, layer, n_components, whiten), points


def blends(answers: Answers) -> pd.DataFrame:
    """How low images half-way between two classes rank by margin and by agreement."""
    rows = []
    for name, (data, of_set, trusted, _) in answers.items():
        result = consensus(of_set.partitions, int(of_set.partitions.max()) + 1, cell_weights(trusted))
        half = data.labels == ""
        row = {"set": name, "blends": half.sum()}
        for by, values in (("margin", result.margin), ("agreement", result.agreement)):
            row[f"ROC area, {by}"] = roc_auc_score(half, -values)
            row[f"median, blends; others, {by}"] = f"{np.median(values[half]):.2f}; {np.median(values[~half]):.2f}"
        lowest = np.argsort(result.margin)[: half.sum()]
        row["blends among as many lowest by margin"] = half[lowest].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def few_labels(answers: Answers) -> pd.DataFrame:
    """ARI of the most probable cell with few labels by the strength of the prior, and how right its probability is."""
    rows = []
    shipped = of_labels.PRIOR_STRENGTH
    for strength in PRIORS:
        of_labels.PRIOR_STRENGTH = strength
        for n_labels in (0, *FEW):
            picked, near, claimed = [], [], []
            for data, of_set, trusted, ari in answers.values():
                for draw in range(DRAWS if n_labels else 1):
                    shown = np.random.default_rng(draw).choice(len(data.labels), n_labels, replace=False)
                    labels = np.full(len(data.labels), "", dtype=object)
                    labels[shown] = data.labels[shown]
                    result = with_labels(trusted, of_set.partitions, labels)
                    good = ari >= ari.max() - NEAR_BEST
                    picked.append(ari[result.best])
                    near.append(good[result.best])
                    claimed.append(result.probability[good].sum())
            rows.append((strength, n_labels, np.mean(picked), np.mean(near), np.mean(claimed)))
    of_labels.PRIOR_STRENGTH = shipped
    names = ["prior strength", "labels", "ARI of the pick", "pick is near the best", "probability given to those"]
    return pd.DataFrame(rows, columns=names)


def main(shared: Path, cache: Path) -> None:
    """Measure and print."""
    start = perf_counter(), process_time()
    answers: Answers = {}
    half_way: Answers = {}
    for data in labelled_sets(shared, cache):
        vectors = features(data, cache)
        for k in [data.n_classes, STEEL_K] if "steel" in data.name else [data.n_classes]:
            of_set = cells(vectors, k)
            trusted = trust(of_set.partitions, of_set.choices)
            ari = score_restarts(of_set.partitions, data.labels)["ari"]
            chosen = half_way if data.name == BLENDS else answers
            chosen[data.name if k == data.n_classes else f"{data.name}, k = {k}"] = (data, of_set, trusted, ari)
            if data.name == "steel" and k == STEEL_K:
                of_steel = placed(vectors, consensus(of_set.partitions, k, cell_weights(trusted)).group)
            print(f"<!-- {data.name}, k = {k}: {trusted.n_opinions} opinions of {len(ari)} cells -->", flush=True)
    at_classes = {name: answer for name, answer in answers.items() if ", k = " not in name}
    rules_of_groups = other_rules({**answers, **half_way})
    of_weights, of_measures = other_weights({**answers, **half_way}), other_measures({**answers, **half_way})
    for table in (
        ranking(at_classes),
        of_consensus(answers),
        rules_of_groups,
        of_weights,
        of_steel,
        blends(half_way),
        of_measures,
        few_labels(at_classes),
    ):
        print("\n" + table.to_markdown(index=False, floatfmt=".3f"), flush=True)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    wall, busy = perf_counter() - start[0], process_time() - start[1]
    print(f"\n{platform.processor() or platform.machine()}, math threads: {threads}; {wall:.0f} s, {busy:.0f} s of CPU")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
