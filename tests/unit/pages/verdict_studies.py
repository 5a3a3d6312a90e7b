"""Studies as a verdict reads them, made of synthetic partitions, for the tests of the page.

Run as a script it writes their pages.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from figure_artefacts import CELL, draw, tabulate, write_agreements, write_clusters, write_manifest, write_scores

from workflow_scripts.consensus.study import consensus_of
from workflow_scripts.figures.partitions import read_partitions
from workflow_scripts.figures.saving import save
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.metrics import score_restarts
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.verdict.findings import sections
from workflow_scripts.pages.verdict.page import write_verdict
from workflow_scripts.pages.verdict.study import VerdictTables

COMPARING = ("trust", "specification_curve", "choice_map", "partition_effects", "restarts_enough")
CELLS = [
    {**CELL, "layer": layer, "whiten": whiten, "reducer": "pca50w" if whiten else "pca50"}
    for layer in ("fire5_avg", "fire9_avg", "fire9_max")
    for whiten in (True, False)
]


def study_of(folder: Path, truth: np.ndarray, labels: list[str], noise: float, cells: Any = CELLS) -> VerdictTables:
    """A study whose cells have the partition `truth` but for a share `noise` of the images, drawn anew in each."""
    rng = np.random.default_rng(0)
    n, k = len(truth), int(truth.max()) + 1
    manifest_path = write_manifest(folder, labels)
    manifest = read_manifest(manifest_path)
    clusters, scores = [], []
    for i in range(len(cells)):
        repeats = np.stack([np.where(rng.random(n) < noise, rng.integers(0, k, n), truth) for _ in range(3)])
        clusters.append(write_clusters(folder / f"cell_{i}.h5", {str(k): (repeats, [1.0, 2.0, 3.0])}))
        scored = score_restarts(repeats, manifest["label"])
        of_labels = {name: scored[name] for name in ("ari", "largest_class")}
        table = pd.DataFrame({"k": k, **of_labels, "silhouette": 0.1 * i, "inertia": [1.0, 2.0, 3.0]})
        rows = table.to_dict("records")
        scores.append(write_scores(folder / f"scores_{i}.parquet", rows))
    agreement = write_agreements(folder / "agreement.h5", cells, clusters)
    inputs = {
        "manifest": [manifest_path] * len(cells),
        "clusters": clusters,
        "scores": scores,
        "agreement": [agreement],
    }
    partitions = read_partitions(cells, clusters, None)
    found = consensus_of(partitions.best, partitions.choices, manifest)
    tables = {kind: tabulate(kind, cells, inputs) for kind in COMPARING}
    rejected = pd.DataFrame({"path": ["a.txt", "b.png"], "reason": ["not an image", "duplicate"], "detail": ""})
    return VerdictTables(manifest, rejected, found.table, found.chosen_k, tables)


def write_page_of(study: VerdictTables, folder: Path, drawn: bool = True) -> Path:
    """Write the page of a study with its figures (or stand-ins) and random images, and return its path."""
    rng = np.random.default_rng(1)
    figures = {}
    for kind, table in study.tables.items():
        if not drawn:
            figures[kind] = str(folder / "manifest.csv")
            continue
        made = draw(kind, table, {"manifest": [str(folder / "manifest.csv")]})
        figures[kind] = str(folder / f"{kind}.png")
        save(made, folder / f"{kind}.svg", figures[kind], {**STYLE, "dpi": 100})
    images = rng.integers(0, 256, (len(study.manifest), 24, 24), dtype=np.uint8)
    thumbnails = Thumbnails(images, dict(zip(study.manifest["image_id"], range(len(images)), strict=True)))
    names = (*COMPARING, "nuisances", "perturbations", "manifest", "rejected", "consensus")
    links = {name: f"tables/study/{name}.csv" for name in names}
    path = folder / "verdict" / "study.html"
    write_verdict(str(path), sections(study, 40, 8), figures, links, thumbnails, {"dataset": "d", "study": "study"})
    return path


STYLE = {"font": "DejaVu Sans", "font_size": 8, "palette": "petroff10"}


def named(folder: Path, name: str) -> VerdictTables:
    """Return one of the studies in `NAMES`, which are difficult for the page."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "two_images":
        return study_of(folder, np.array([0, 1]), ["", ""], 0.0)
    if name == "sixty_classes":
        truth = np.repeat(np.arange(60), 4)
        return study_of(folder, truth, [f"class {i:02d} </script><b>" for i in truth], 0.1)
    truth = np.repeat(np.arange(4), 15)
    noise = {"random": 1.0}.get(name, 0.15)
    labels = [""] * 60 if name in ("unlabelled", "random") else [f"class_{i}" for i in truth]
    return study_of(folder, truth, labels, noise, CELLS[:1] if name == "one_cell" else CELLS)


NAMES = ("labelled", "unlabelled", "random", "two_images", "sixty_classes", "one_cell")

if __name__ == "__main__":
    for name in NAMES:
        print(write_page_of(named(Path(sys.argv[1]) / name, name), Path(sys.argv[1]) / name))
