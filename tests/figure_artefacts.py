"""Small artefacts in the formats of the stages, for the tests of figures; run as a script it draws every kind."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.clusterers import density_peaks
from workflow_scripts.figures.partitions import agreement_of
from workflow_scripts.figures.saving import save
from workflow_scripts.io.agreement import write_agreement
from workflow_scripts.io.runs import Runs, write_runs
from workflow_scripts.io.store import manifest_digest, writing
from workflow_scripts.preprocess.perturbations import VERSIONS
from workflow_scripts.settings.clusterers.finding_k import Dbscan
from workflow_scripts.settings.clusterers.given_k import DensityPeaks, Linkage
from workflow_scripts.settings.figures import Figure as Registered
from workflow_scripts.settings.published import Fact

STYLE = {"font": "DejaVu Sans", "font_size": 8, "palette": "petroff10", "dpi": 100}
Inputs = Mapping[str, Any]
KINDS = (*(kind for kind in Registered.registry if kind != "tree"), "reproduction")
"""All kinds of figures but the tree, whose nested clusters its own test writes."""
CELL = {
    "preprocess": "clahe",
    "backbone": "squeezenet",
    "layer": "fire9_avg",
    "subset": "all",
    "decomposition": "pca",
    "n_components": 50,
    "whiten": True,
    "clusterer": "kmeans",
    "reducer": "pca50w",
}
MEASURED = ("toy_panel",)
"""Kinds whose tables hold running times: not the same bytes twice."""
TOY_CLUSTERERS = [Linkage(k=[9], linkage="single"), DensityPeaks(k=[9]), Dbscan(eps=0.3)]
FACTS = [
    Fact(what=f"number {i}", published=(i + 1) / 10, place="table 1", table="a", column="b", layer="fc1").model_dump()
    for i in range(8)
]
OWN: dict[str, dict[str, Any]] = {
    "samples": {"per_class": 2},
    "label_sets": {"sets": {"first person": "first.csv", "second person": "second.csv"}},
    "intrinsic_dimension": {"smallest": 20},
    "thick_line": {"n_points": [100, 800], "noise": 0.05},
    "distances": {"n_images": 60, "n_bootstrap": 100},
    "overlay": {"n_images": 2},
    "contact_sheet": {"per_place": 3},
    "cluster_pair": {"per_place": 3},
    "sensitivity": {"x": "n_components", "hue": "whiten"},
    "k_distance": {"min_samples": 4},
    "choose_k": {"ks": [1, 2, 3, 4], "n_init": 3, "n_references": 3, "n_resamples": 3},
    "nmi_curves": {"draws": 3},
    "toy_panel": {"n_points": 200},
    "trust": {"n_samples": 20},
    "partition_effects": {"n_permutations": 99},
    "nuisances": {"n_permutations": 99},
    "perturbations": {"n_images": 21},
}
"""The settings of a kind that are not its defaults; most are smaller, to save time."""
TABLE_SETTINGS: dict[str, dict[str, Any]] = {
    **{kind: model(**OWN.get(kind, {})).table_settings() for kind, model in Registered.registry.items()},
    "reproduction": {"kind": "reproduction", "at": {}, "published": "cohn", "facts": FACTS},
}
TABLE_SETTINGS["toy_panel"]["clusterers"] = {clusterer.method: clusterer.dump() for clusterer in TOY_CLUSTERERS}


def write_store(path: Path, settings: Mapping[str, Any] | None = None, **datasets: Any) -> str:
    n_images = len(next(iter(datasets.values())))
    with writing(
        path, {"settings": settings or {}, "code": "", "manifest": manifest_digest(image_ids(n_images))}
    ) as file:
        for name, values in datasets.items():
            file[name] = values
    return str(path)


def write_autoencoder(path: Path, n_codes: int, error: float, phases: Sequence[str]) -> str:
    """What figures read of a trained autoencoder; a PCA of as many components leaves 4 of a variance of 10."""
    settings = {"phases": [{phase: 5} for phase in phases]}
    errors = {"reconstruction_error": error, "reconstruction_error_se": 0.1}
    of_pca = {"pca_reconstruction_error": 4.0, "pca_reconstruction_error_se": 0.2, "variance": 10.0}
    facts = {"architecture": f"T50-20-{n_codes} elu", "n_judging": 30, **errors, **of_pca}
    with writing(path, {"settings": settings, "code": "", "manifest": "", **facts}) as file:
        file["scores"] = np.zeros((4, n_codes))
        epochs = [(number, epoch) for number in range(len(phases)) for epoch in range(6)]
        file["curves"] = [(number, epoch, 1 / (1 + epoch), 1.2 / (1 + epoch)) for number, epoch in epochs]
    return str(path)


def image_ids(count: int) -> list[str]:
    """The ids of the manifest of as many images."""
    return [hashlib.sha256(f"{i}".encode()).hexdigest()[:16] for i in range(count)]


def write_manifest(folder: Path, labels: Sequence[str]) -> str:
    rows = {"image_id": image_ids(len(labels)), "path": [f"{i}.png" for i in range(len(labels))], "label": labels}
    rest = {"width": 8, "height": 8, "mode": "L", "bytes": 64, "pages": 1}
    pd.DataFrame(rows).assign(**rest).to_csv(folder / "manifest.csv", index=False)
    return str(folder / "manifest.csv")


def write_scales(folder: Path, labels: Sequence[str]) -> str:
    """A manifest of images of nine scales, every tenth without one."""
    (folder / "scales").mkdir(exist_ok=True)
    manifest = write_manifest(folder / "scales", labels)
    scales = [1000, 200, 100, 20, 10, 2, 1, 0.2, 0.05]
    column = ["" if i % 10 == 9 else str(scales[i % 9]) for i in range(len(labels))]
    pd.read_csv(manifest, keep_default_na=False).assign(scale_um=column).to_csv(manifest, index=False)
    return manifest


def write_tiles(folder: Path, labels: Sequence[str]) -> str:
    """A manifest of 8 x 8 tiles, three beside each other in each image."""
    (folder / "tiles").mkdir(exist_ok=True)
    manifest = write_manifest(folder / "tiles", labels)
    number = np.arange(len(labels))
    names = [f"{place // 3}.png" for place in number]
    pd.read_csv(manifest, keep_default_na=False).assign(
        parent=names, page=1, x=8 * (number % 3), y=0, group=names
    ).to_csv(manifest, index=False)
    return manifest


def write_label_sets(folder: Path, labels: Sequence[str]) -> list[str]:
    """Two people's tables of labels: the second calls every third image as the one before it."""
    paths = [f"{i}.png" for i in range(len(labels))]
    second = [labels[i - (i % 3 == 0)] for i in range(len(labels))]
    for name, given in (("first", labels), ("second", second)):
        pd.DataFrame({"path": paths, "label": given}).to_csv(folder / f"{name}.csv", index=False)
    return [str(folder / "first.csv"), str(folder / "second.csv")]


def write_formats(folder: Path) -> str:
    """The counts of the thesis's table 2.1, and what could have become of them."""
    rows = [("TIFF", 151312, 146916, 4396, 0), ("JPEG", 150937, 2, 150935, 0), ("PDF", 125, 0, 0, 125)]
    rows += [("BMP", 111, 110, 0, 1), ("DM3", 2, 0, 0, 2), ("DJVU", 1, 0, 0, 1), ("other", 900, 0, 0, 900)]
    columns = ["format", "files", "taken_in", "duplicates", "rejected"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "formats.csv", index=False)
    return str(folder / "formats.csv")


def write_clusters(path: Path, by_k: Mapping[str, tuple[Any, Any]]) -> str:
    """`by_k`: for "7" or "auto" the labels (M, N) and the inertia (M,)."""
    number = {k: None if k == "auto" else int(k) for k in by_k}
    runs = {number[k]: Runs.single(labels, inertia=inertia) for k, (labels, inertia) in by_k.items()}
    write_runs(str(path), runs.items(), np.array([], dtype=str), {"settings": {}, "code": "", "manifest": ""})
    return str(path)


def write_agreements(path: Path, cells: Sequence[Mapping[str, Any]], partitions: Sequence[str]) -> str:
    """The agreement of every two cells, whose clusters are in `partitions`."""
    write_agreement(str(path), cells, *agreement_of(cells, partitions, None), {"settings": {}, "code": ""})
    return str(path)


def write_perturbed(folder: Path, labels: Sequence[str]) -> str:
    """Images of which every third changes its group when it is turned by 90 degrees, and none otherwise."""
    groups = np.arange(len(labels)) % 5
    of_images = {"image_id": image_ids(len(labels)), "path": "", "label": labels, "cell": "clahe, fire9_avg"}
    turned = [name == "rotate" and strength == 90 for name, strength in VERSIONS]
    tables = [
        pd.DataFrame({**of_images, "perturbation": name, "strength": strength, "group": groups}).assign(
            group_perturbed=np.where((np.arange(len(labels)) % 3 == 0) & moves, groups + 1, groups)
        )
        for (name, strength), moves in zip(VERSIONS, turned, strict=True)
    ]
    pd.concat(tables).to_csv(folder / "perturbed.csv", index=False)
    return str(folder / "perturbed.csv")


def write_peaks(path: Path, points: np.ndarray) -> str:
    """Density Peaks of some points, for two clusters and for three."""
    settings = DensityPeaks(k=[2, 3], n_neighbors=2).dump()
    runs = density_peaks.cluster(points, settings, 0, 1, lambda done, total: None)
    attributes = {"settings": {"clusterer": settings}, "code": "", "manifest": ""}
    write_runs(str(path), runs, np.array([], dtype=str), attributes)
    return str(path)


def write_scores(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the promised table; what they leave out is null, but k is 7 and each row a repeat of its own."""
    metrics = ("accuracy_majority", "accuracy_matched", "ari", "ami", "purity", "silhouette", "inertia", "dbcv")
    metrics += ("n_clusters", "noise_fraction", "nmi_geometric", "largest_cluster", "largest_class")
    table = pd.DataFrame([{"k": 7, "repeat": i, "restart": 0, "n_init": 10, **row} for i, row in enumerate(rows)])
    integers = ["k", "n_components_used", "fold", "repeat", "restart", "n_init"]
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, *integers, *metrics])))
    types = dict.fromkeys(integers, "Int64") | dict.fromkeys(metrics, "float64")
    table.astype(types).to_parquet(path, index=False)
    return str(path)


def artefacts(
    folder: Path, n_classes: int, labelled: bool = True, names: Sequence[str] | None = None
) -> dict[str, tuple[list[dict[str, Any]], Inputs]]:
    """For each kind its cells and inputs: `n_classes` classes of three images, and two clusters for the first class."""
    rng = np.random.default_rng(0)
    names = names or [f"class_{c:02d}" for c in range(n_classes)]
    labels = [name for name in names for _ in range(3)]
    truth = np.repeat(np.arange(n_classes), 3)
    n = len(labels)
    manifest = write_manifest(folder, labels if labelled else [""] * n)
    tiles = write_tiles(folder, labels if labelled else [""] * n)
    images = [
        write_store(folder / f"{name}.h5", images=rng.integers(0, 256, (n, 8, 8), dtype=np.uint8))
        for name in ("clahe", "plain")
    ]
    places = np.column_stack([truth, truth % 3]) + rng.normal(0, 0.2, (n, 2))
    points = write_store(folder / "tsne.h5", {"method": "tsne"}, scores=places, image_id=np.arange(n).astype("S"))
    of_images = rng.normal(size=(n, 12)) + truth[:, None]
    features = write_store(folder / "features.h5", features=of_images, image_id=np.arange(n).astype("S"))
    many = write_store(folder / "many.h5", features=rng.normal(size=(160, 4)))
    trained = [
        write_autoencoder(folder / f"ae_{i}.h5", n_codes, error, phases)
        for i, (n_codes, error, phases) in enumerate([(10, 3, "g"), (10, 5, "g"), (18, 2, ("1_a", "1_b", "2", "g"))])
    ]
    networks = [{**CELL, "decomposition": name, "n_components": None} for name in ("wide", "narrow", "stacked")]
    ratios = rng.random(40) * np.geomspace(1, 1e-3, 40)
    spectrum = write_store(folder / "pca.h5", explained_variance_ratio=ratios / ratios.sum())
    partition = np.where(np.arange(n) == 0, n_classes, truth)
    clusters = write_clusters(folder / "clusters.h5", {f"{n_classes + 1}": ([partition], [1.0])})
    cells = [{**CELL, "n_components": c, "whiten": w} for c in (1, 10, 100) for w in (True, False)]
    scores = []
    for i, cell in enumerate(cells):
        metrics = rng.random((20, 2)) if labelled else np.full((20, 2), np.nan)
        rows = [
            {
                **{"n_components_used": cell["n_components"], "accuracy_majority": accuracy, "ari": ari},
                **{"inertia": inertia, "n_clusters": 7, "noise_fraction": 0.12, "silhouette": 0.3, "dbcv": -0.25},
                **{"largest_cluster": 0.2, "largest_class": 1 / 7, "accuracy_matched": 0.9 * accuracy},
            }
            for (accuracy, ari), inertia in zip(metrics, 10 + rng.random(20), strict=True)
        ]
        scores.append(write_scores(folder / f"scores_{i}.parquet", rows))
    partitions = [
        write_clusters(
            folder / f"cell_{i}.h5",
            {
                "7": (
                    [np.where(rng.random(n) < 0.1 * i, rng.integers(0, 7, n), truth) for _ in range(3)],
                    [3.0, 1.0, 2.0],
                )
            },
        )
        for i in range(len(cells))
    ]
    agreement = write_agreements(folder / "agreement.h5", cells, partitions)
    compared = {
        "manifest": [manifest] * len(cells),
        "clusters": partitions,
        "scores": scores,
        "agreement": [agreement],
    }
    nmi = 0.7 if labelled else np.nan
    by_k = [
        write_scores(folder / "ward.parquet", [{"k": k, "repeat": 0, "nmi_geometric": nmi} for k in range(2, n + 1)]),
        write_scores(folder / "dbscan.parquet", [{"k": None, "n_clusters": 5, "repeat": 0, "nmi_geometric": nmi}]),
    ]
    plain = {**CELL, "preprocess": "plain"}
    classes = pd.DataFrame(
        [(name, 3, 7, repeat, *rng.random(3)) for name in (sorted(names) if labelled else []) for repeat in range(2)],
        columns=["label", "support", "k", "repeat", "precision", "recall", "f1"],
    ).assign(fold=None)
    classes.to_parquet(folder / "classes.parquet")
    splits = ("train", "validation", "validation_refitted")
    beside = {"largest_class": 0.3, "accuracy_matched": 0.5, "ari": 0.4}
    folds = [
        {"accuracy_majority": rng.random(), "fold": f, "split": s, "repeat": r, **beside}
        for f, s, r in product(range(5), splits, range(3))
    ]
    validated = write_scores(folder / "validated.parquet", folds if labelled else [{"split": "train", "fold": 0}])
    (folder / "tables").mkdir(exist_ok=True)
    pd.DataFrame({"b": [0.48, 0.52], "layer": "fire9"}).to_parquet(folder / "tables" / "a.parquet")
    clustered = {"manifest": [manifest], "points": [points], "clusters": [clusters]}
    in_pictures = {**clustered, "preprocessed": images[:1]}
    return {
        "samples": ([CELL], {"manifest": [manifest], "preprocessed": images[:1]}),
        "formats": ([CELL], {"formats": [write_formats(folder)], "manifest": [manifest]}),
        "class_distribution": ([CELL], {"manifest": [manifest]}),
        "scale_table": ([CELL], {"manifest": [write_scales(folder, labels if labelled else [""] * len(labels))]}),
        "preprocessing": ([CELL, plain], {"manifest": [manifest], "preprocessed": images}),
        "explained_variance": ([CELL], {"decomposed": [spectrum], "manifest": [manifest]}),
        "intrinsic_dimension": ([CELL, plain], {"features": [many, many], "manifest": [manifest]}),
        "thick_line": ([CELL], {"manifest": [manifest]}),
        "reconstruction": (networks, {"decomposed": trained, "manifest": [manifest]}),
        "training": (networks, {"decomposed": trained, "manifest": [manifest]}),
        "distances": (
            [CELL, {**CELL, "decomposition": "none", "reducer": "none"}],
            {"features": [features, features], "points": [points, features], "manifest": [manifest, manifest]},
        ),
        "embedding": ([CELL], {"manifest": [manifest], "map": [points], "clusters": [clusters]}),
        "confusion": ([CELL], {"manifest": [manifest], "clusters": [clusters]}),
        "class_by_cluster": ([CELL], {"manifest": [manifest], "clusters": [clusters]}),
        **{kind: ([CELL], {**in_pictures, "manifest": [tiles]}) for kind in ("area_fractions", "overlay")},
        **{kind: ([CELL], in_pictures) for kind in ("contact_sheet", "cluster_pair", "near_twins")},
        "sensitivity": (cells, {"scores": scores, "manifest": [manifest]}),
        "restarts": (cells[:2], {"scores": scores[:2], "manifest": [manifest]}),
        "class_scores": ([CELL], {"class_scores": [str(folder / "classes.parquet")], "manifest": [manifest]}),
        "cluster_scores": ([CELL], {"manifest": [manifest], "points": [points], "clusters": [clusters]}),
        "silhouette_profile": ([CELL], {"manifest": [manifest], "points": [points], "clusters": [clusters]}),
        "clusterer_scores": (
            [{**CELL, "clusterer": name} for name in ("kmeans", "affinity_propagation", "dbscan")],
            {"scores": scores[:3], "manifest": [manifest]},
        ),
        "k_distance": ([CELL, plain, {**plain, "whiten": False}], {"points": [points] * 3, "manifest": [manifest]}),
        "choose_k": ([CELL], {"points": [points], "manifest": [manifest]}),
        "nmi_curves": (
            [{**CELL, "whiten": whiten, "clusterer": name} for whiten in (True, False) for name in ("ward", "dbscan")],
            {"scores": by_k * 2, "points": [points] * 4, "manifest": [manifest] * 4},
        ),
        "nmi_example": ([CELL], {"manifest": [manifest]}),
        "label_sets": ([CELL], {"manifest": [manifest], "sets": write_label_sets(folder, labels)}),
        "decision_graph": ([CELL], {"clusters": [write_peaks(folder / "peaks.h5", places)], "manifest": [manifest]}),
        "toy_panel": ([CELL], {"manifest": [manifest]}),
        "maps": ([CELL, plain], {"manifest": [manifest] * 2, "map": [points, points]}),
        "islands": ([CELL], {"manifest": [manifest], "map": [points], "preprocessed": images[:1]}),
        "folds": (cells[:2], {"validated": [validated, validated], "manifest": [manifest]}),
        "best_of_n": (cells[:2], {"scores": scores[:2], "manifest": [manifest]}),
        "effects": (cells, {"scores": scores, "manifest": [manifest]}),
        **dict.fromkeys(
            ("trust", "specification_curve", "choice_map", "partition_effects", "restarts_enough"), (cells, compared)
        ),
        "perturbations": (
            [CELL],
            {"manifest": [manifest], "perturbed": [write_perturbed(folder, labels if labelled else [""] * n)]},
        ),
        "nuisances": (
            cells[:2],
            {"manifest": [manifest] * 2, "preprocessed": images[:1] * 2, "consensus": partitions[:1], "facts": []},
        ),
        "heatmap": (cells, {"scores": scores, "manifest": [manifest]}),
        "reproduction": (
            [],
            {
                "tables": [str(folder / "tables" / "a.parquet")],
                "manifest": [manifest],
            },
        ),
    }


def tabulate(kind: str, cells: Any, inputs: Mapping[str, Any], **settings: Any) -> pd.DataFrame:
    module = import_module(f"workflow_scripts.figures.{kind}")
    return module.tabulate({**TABLE_SETTINGS[kind], **settings}, cells, inputs)


def draw(kind: str, table: pd.DataFrame, inputs: Inputs, width: float = 170, title: str | None = None) -> Figure:
    module = import_module(f"workflow_scripts.figures.{kind}")
    given = {"manifest": inputs["manifest"][0], "preprocessed": inputs.get("preprocessed", [])}
    given["classes"] = inputs.get("classes", given["manifest"])
    given["subsets"] = inputs.get("subsets", [given["manifest"]])
    return module.draw(table, {"kind": kind, "title": title, "width": width, "height": None}, given, STYLE)


def main(folder: Path) -> None:
    """Draw and save every kind in `folder`."""
    for kind, (cells, inputs) in artefacts(folder, 7).items():
        save(draw(kind, tabulate(kind, cells, inputs), inputs), folder / f"{kind}.svg", folder / f"{kind}.png", STYLE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
