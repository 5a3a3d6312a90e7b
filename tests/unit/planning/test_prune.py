"""Unused results are listed, they are deleted only on request, and no other file is changed."""

import pytest
import yaml

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.planning.prune import prune, unwanted, wanted_files
from workflow_scripts.settings import parse

CONFIG = """
preprocess: {plain: [grey, resize]}
backbones:
  net: {model: squeezenet1_1, shards: 2, layers: [[fire5_avg, fire9_avg], [fire8_avg]], finetune: {preprocess: plain}}
decompositions: {pca: {method: pca}, pca_few: {method: pca}, map: {method: tsne, of: pca_few}}
clusterers: {kmeans: {method: kmeans}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, n_components: 5, clusterer: kmeans}
studies:
  main:
    figures:
      map: {kind: embedding, map: map}
      ten: {kind: confusion, at: {n_components: 10}}
"""
LAYER = "plain/net/fire9_avg"
WANTED = [
    "preprocess/plain.h5",
    "weights/net.json",
    "finetuned/net.safetensors",
    "finetuned/net.csv",
    "features/plain/net/.fire9_avg.h5.rows",  # of a killed extraction, which goes on where it was
    "features/plain/net/.fire5_avg.h5.progress",
    f"shards/{LAYER}/1-of-2.h5",
    "shards/plain/net/fire5_avg/.2-of-2.h5.rows",
    "decomposed/plain/net/fire9_avg/.pca.h5.checkpoint",  # of a killed training
    f"clusters/{LAYER}/pca5/.kmeans.h5.checkpoints/0.pt",
    f"features/{LAYER}.h5",
    "features/plain/net/fire5_avg.h5",  # comes with fire9_avg from one pass
    f"decomposed/{LAYER}/pca.h5",
    f"decomposed/{LAYER}/pca_few.h5",  # what the figure's map is made of
    f"decomposed/{LAYER}/map.h5",
    *(
        f"{stage}/{LAYER}/{reducer}/kmeans{suffix}"
        for reducer in ("pca5", "pca10")
        for stage, suffix in (("clusters", ".h5"), ("scores", ".parquet"), ("scores", ".classes.parquet"))
    ),
    *(f"tables/main{suffix}" for suffix in (".parquet", ".csv", ".classes.parquet", ".classes.csv")),
    *(f"tables/main/{figure}.parquet" for figure in ("map", "ten")),
    "models/main/model.json",
    "models/main/model.safetensors",
    *(f"figures/main/{figure}{suffix}" for figure in ("map", "ten") for suffix in (".svg", ".png")),
]
UNWANTED = [
    "preprocess/old.h5",
    "preprocess/.plain.h5.part",
    "weights/older.json",
    "finetuned/older.safetensors",
    "features/plain/net/.fire8_avg.h5.rows",
    "features/plain/net/fire8_avg.h5",
    f"shards/{LAYER}/1-of-3.h5",  # the backbone had another number of shards
    f"shards/{LAYER}/.2-of-3.h5.rows",
    "shards/plain/net/fire8_avg/1-of-2.h5",
    "features/plain/other/fire9_avg.h5",
    f"clusters/{LAYER}/pca5/.older.h5.checkpoints/0.pt",
    "subsets/old.csv",
    f"decomposed/{LAYER}/umap.h5",
    f"clusters/{LAYER}/pca5w/kmeans.h5",
    f"clusters/{LAYER}/pca5/kmeans_old.h5",
    f"scores/{LAYER}/pca5w/kmeans.classes.parquet",
    "tables/old.csv",
    "models/old/model.json",
    "models/old/model.safetensors",
    "tables/old/map.parquet",
    "figures/old/map.svg",
    "figures/main/old.png",
    "validated/x/scores.parquet",
]
NEVER = [
    "manifest.csv",
    "rejected.csv",
    "report.html",
    "logs/preprocess/old.log",
    "benchmarks/old.tsv",
    "images/a/1.png",
]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Make a results folder with many kinds of files, named as by the workflow."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "results" / "embedded"
    for path in WANTED + UNWANTED + NEVER:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(bytes(1000))
    return root


def _wanted(tmp_path, *studies):
    (tmp_path / "config").mkdir()
    for number, text in enumerate(studies):
        (tmp_path / "config" / f"{number}.yaml").write_text(text)
    return wanted_files(str(tmp_path / "config"), parse(yaml.safe_load(CONFIG)), Layout("embedded"))


def _unwanted(wanted):
    return sorted(path.relative_to("results/embedded").as_posix() for path in unwanted("results/embedded", wanted))


def _files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_exactly_the_unwanted_are_found(results, tmp_path):
    assert _unwanted(_wanted(tmp_path)) == sorted(UNWANTED)


def test_without_being_told_nothing_is_deleted(results, tmp_path, capsys):
    before = _files(results)
    prune("results/embedded", _wanted(tmp_path), delete=False)
    said = capsys.readouterr().out
    assert _files(results) == before
    assert all(f"results/embedded/{path}\n" in said for path in UNWANTED)
    assert not any(f" results/embedded/{path}\n" in said for path in WANTED + NEVER)
    assert said.splitlines()[-1] == (
        "0.0 MB that no configuration names; the same command with delete=true after --config deletes them"
    )


def test_told_to_it_deletes_them_and_the_folders_that_they_leave_empty(results, tmp_path, capsys):
    prune("results/embedded", _wanted(tmp_path), delete=True)
    assert _files(results) == sorted(WANTED + NEVER)
    assert not any(path.is_dir() and not any(path.iterdir()) for path in results.rglob("*"))
    assert capsys.readouterr().out.count("deleted") == len(UNWANTED)


def test_nothing_to_do(tmp_path, capsys):
    prune(tmp_path / "results" / "embedded", [], delete=True)
    assert capsys.readouterr().out == "0.0 MB that no configuration names\n"


def test_sizes_are_said(results, tmp_path, capsys):
    (results / "preprocess" / "old.h5").write_bytes(bytes(2_500_000))
    prune("results/embedded", _wanted(tmp_path), delete=False)
    said = capsys.readouterr().out
    assert "unused        2.5 MB  results/embedded/preprocess/old.h5" in said
    assert said.splitlines()[-1].startswith("2.5 MB")


STUDY = """
preprocess: {old: [grey, resize]}
backbones: {other: {model: squeezenet1_1, layers: [[fire9_avg]]}}
clusterers: {kmeans: {method: kmeans}}
baseline: {preprocess: old, backbone: other, layer: fire9_avg, clusterer: kmeans}
studies: {old: {}}
"""


def test_what_another_study_file_names_stays(results, tmp_path):
    found = _unwanted(_wanted(tmp_path, STUDY, "dpi: 200\n"))
    model = {"models/old/model.json", "models/old/model.safetensors"}
    assert found == sorted(set(UNWANTED) - {"preprocess/old.h5", "tables/old.csv"} - model)


def test_a_study_file_with_a_mistake_ends_it_before_anything_is_deleted(tmp_path):
    with pytest.raises(SystemExit, match=r"Error: .*0\.yaml: config: clusterers\.kmeans\.method: found 'kmeens'"):
        _wanted(tmp_path, STUDY.replace("method: kmeans", "method: kmeens"))
