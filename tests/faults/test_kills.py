"""Kills at random moments of every stage: no output is incomplete, and the next run makes the same bytes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.faults.stripes import write_images
from tests.workflow import ROOT

N_KILLS = int(os.environ.get("CLUSTERGRID_KILLS", 75))
SEED = int(os.environ.get("CLUSTERGRID_KILLS_SEED", 0))
STUDY = """
data: images
name: mini
preprocess:
  plain: [grey, resize: {size: [64, 64]}]
backbones:
  hog: {descriptor: hog}
  net: {model: squeezenet1_1, weights: random, layers: [[fire5_avg]]}
decompositions:
  pca: {method: pca}
  tsne: {method: tsne, n_components: 4, perplexity: 5}
clusterers:
  kmeans: {method: kmeans, k: [2, 3], n_init: 5, repeats: 2}
  ward: {method: linkage, k: [2]}
cross_validations:
  folds: {folds: 3}
baseline: {preprocess: plain, backbone: hog, layer: features, n_components: 4, whiten: false, clusterer: kmeans}
studies:
  main:
    cells: [{n_components: 6}, {backbone: net, layer: fire5_avg}, {clusterer: ward}]
    verdict: {k: 2, shown: 5, per_group: 2}
    audit: {k: 2}
    gallery: {}
    explorer: {maps: [{decomposition: tsne}]}
    figures:
      map: {kind: embedding, map: tsne, k: 2}
      confusion: {kind: confusion, k: 2}
  folded:
    cross_validation: folds
"""


def test_killed_jobs_run_again_to_the_same_bytes(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    write_images(tmp_path / "images")
    (tmp_path / "config.yaml").write_text(STUDY)
    command = [sys.executable, "-m", "tests.faults.killing", str(N_KILLS), str(SEED)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert (found["incomplete"], found["different"]) == ([], [])
    assert found["rules"] >= 17
    for name in ("jobs", "rules", "kills"):
        record_property(name, found[name])
