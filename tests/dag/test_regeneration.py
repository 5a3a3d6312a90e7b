"""A change makes again what depends on it, and nothing else: one change at a time, the exact set of jobs."""

import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.workflow import Project, planned_jobs
from workflow_scripts.io.store import text
from workflow_scripts.kmeans_kernels import VARIABLE, kernels

CONFIG = "config/config.yaml"
COMPARED = {"reproduction": 1, "reproduction_figure": 1}
"""What follows from a change of a study that published numbers are compared with."""
PAGES = {"verdict": 1, "front_page": 1}
"""What follows from a change of a figure that the verdict shows."""
VERDICT = {"agreement": 1, "consensus": 1, "computed_table": 6, "explorer": 1, **PAGES}
"""What follows from a change of a cell of the study that has a verdict and an explorer, beside its six figures."""


def jobs(project: Project, **of_rule: int) -> None:
    """Asserts that exactly these jobs would run, targets apart, and the methods, which name every cell and table."""
    planned = project.jobs()
    targets = {"all", *(rule for rule in planned if rule.startswith("study_") and rule != "study_table")}
    methods = {"methods": 1} if "study_table" in of_rule else {}
    assert {rule: count for rule, count in planned.items() if rule not in targets} == {**of_rule, **methods}


def test_nothing_is_made_twice(project):
    jobs(project)


def test_what_is_missing_in_the_middle_is_made_again(project):
    (project.folder / "results/small/decomposed/clahe/squeezenet/fire9_avg/pca.h5").unlink()  # as after a failed job
    assert project.jobs("study_components")["decompose"] == 1
    assert project.jobs()["decompose"] == 2  # and the map that is computed from it


def test_a_figures_size_draws_that_figure(project):
    project.edit(CONFIG, "confusion: {kind: confusion}", "confusion: {kind: confusion, width: 120}")
    jobs(project, figure=1)


def test_a_figures_metric_makes_its_table(project):
    project.edit(CONFIG, "accuracy: {kind: sensitivity, x: k}", "accuracy: {kind: sensitivity, x: k, metrics: [ami]}")
    jobs(project, figure_table=1, figure=1)


def test_the_style_draws_every_figure_and_computes_nothing(project):
    project.edit(CONFIG, "n_clusters: 4\n", "n_clusters: 4\nstyle: {font_size: 9}\n")
    jobs(project, figure=16 + 6, reproduction_figure=1, **PAGES)


def test_an_added_n_components_makes_its_own_cell(project):
    project.edit(CONFIG, "n_components: [2, 10, 500]", "n_components: [2, 5, 10, 500]")
    # The clustering and scores of the cell, its study's table, and the figures with the cell; not explained variance.
    jobs(project, cluster=1, score=1, study_table=1, figure_table=1, figure=1, **COMPARED)


def test_a_clahe_limit_leaves_what_has_no_clahe(project):
    project.edit(CONFIG, "clip_limit: 0.01", "clip_limit: 0.02")
    jobs(
        project,
        preprocess=1,
        features_squeezenet_1=1,
        decompose=2,
        cluster=6,
        score=6,
        validate=1,
        study_table=7,
        figure_table=15,  # the samples' table names images, it does not hold them
        figure=16 + 6,
        **COMPARED,
        **VERDICT,
    )


def test_an_added_k_makes_that_clusterers_jobs(project):
    project.edit(CONFIG, "k: [3, 4, 5]", "k: [3, 4, 5, 6]")
    jobs(project, cluster=4, score=4, study_table=2, figure_table=4, figure=4 + 6, **COMPARED, **VERDICT)


def test_a_layer_in_a_pass_of_its_own_leaves_the_others(project):
    project.edit(CONFIG, "[[fire5_avg], [fire9_avg]]", "[[fire5_avg], [fire9_avg], [fire7_avg]]")
    jobs(project)
    project.edit(CONFIG, "    vary: {preprocess: [plain, clahe]}", "    vary: {layer: [fire9_avg, fire7_avg]}")
    project.edit(CONFIG, "{kind: sensitivity, x: preprocess}", "{kind: sensitivity, x: layer}")
    jobs(project, features_squeezenet_2=1, decompose=2, cluster=1, score=1, study_table=1, figure_table=3, figure=3)


def test_a_study_added_makes_itself(project):
    path = project.folder / CONFIG
    path.write_text(path.read_text() + "  whitening:\n    vary: {whiten: [true, false]}\n")
    jobs(project, cluster=1, score=1, study_table=1)


def test_a_label_rule_leaves_every_clustering(project):
    project.edit(CONFIG, "name: small\n", "name: small\nintake: {labels: {rule: folder, level: 0}}\n")
    # How well cells agree does not depend on labels: two figures of that alone, and the restarts, are only drawn again.
    verdict = {rule: count for rule, count in VERDICT.items() if rule != "agreement"} | {"computed_table": 3}
    jobs(project, label=1, score=9, validate=1, study_table=7, figure_table=15, figure=16 + 6, **COMPARED, **verdict)


def test_touched_and_commented_scripts_make_nothing(project):
    for script in (project.folder / "workflow_scripts/jobs").glob("*.py"):
        script.write_text(script.read_text() + "\n# A remark.\n")
        os.utime(script)
    jobs(project)


def test_the_logic_of_an_imported_module_counts(project):
    project.edit("workflow_scripts/metrics/votes.py", "import numpy as np\n", "import numpy as np\n\nADDED = 1\n")
    found = project.jobs()
    assert found["score"] == 9
    assert found["cluster"] == 0
    assert found["features_squeezenet_1"] == 0


def test_a_method_module_counts_for_its_variants_only(project):
    path = project.folder / "workflow_scripts/preprocess/clahe.py"
    path.write_text(path.read_text() + "\nADDED = 1\n")
    found = project.jobs()
    assert found["preprocess"] == 1
    assert found["features_squeezenet_1"] == 1


def test_a_picture_edited_in_a_sub_folder_is_seen(project):
    picture = next(iter(sorted((project.folder / "pictures" / "grass").iterdir())))
    with Image.open(picture) as image:
        flipped = image.transpose(Image.Transpose.ROTATE_180)
    flipped.save(picture)
    found = project.jobs()
    assert found["intake"] == 1
    assert found["label"] == 1
    assert found["preprocess"] == 2
    assert found["figure"] == 16 + 6


def test_a_study_file_stands_alone(project):
    alone = (project.folder / CONFIG).read_text()
    only = alone[: alone.index("studies:")] + "studies:\n  only:\n    figures: {confusion: {kind: confusion}}\n"
    (project.folder / "only.yaml").write_text(only)
    planned = project.jobs("--configfile", "only.yaml")
    # All of its cells are made; what it needs on top is its own table, its one figure, and the methods of less.
    assert planned == {"all": 1, "study_table": 1, "figure_table": 1, "figure": 1, "methods": 1, **COMPARED}


def test_prune_lists_what_no_configuration_names(project):
    project.edit(CONFIG, "n_components: [2, 10, 500]", "n_components: [2, 10]")
    assert "0.0 MB that no configuration names" in project.run("prune")
    (project.folder / "config/studies/cohn-squeezenet.yaml").unlink()  # this study names the files, too
    said = project.run("prune")
    unused = set(re.findall(r"unused .* MB  (\S+)", said))
    assert unused == {
        f"results/small/{stage}/clahe/squeezenet/fire9_avg/pca500/kmeans{suffix}"
        for stage, suffix in (("clusters", ".h5"), ("scores", ".parquet"), ("scores", ".classes.parquet"))
    }
    assert all((project.folder / path).exists() for path in unused)
    project.run("prune", "--config", "delete=true")
    assert not any((project.folder / path).exists() for path in unused)
    assert not Path(project.folder / "results/small/clusters/clahe/squeezenet/fire9_avg/pca500").exists()
    jobs(project, study_table=1, figure_table=1, figure=1, **COMPARED)


def test_a_published_number_makes_the_comparison_only(project):
    project.edit("config/published/cohn.yaml", "published: 0.9906", "published: 0.9907")
    jobs(project, **COMPARED)


def test_other_folds_make_the_cross_validation_only(project):
    project.edit(CONFIG, "folds: {folds: 3,", "folds: {folds: 4,")
    jobs(project, validate=1, study_table=1, figure_table=1, figure=1, **COMPARED)


def test_other_restarts_make_their_study_only(project):
    project.edit(CONFIG, "restarts: {method: kmeans, n_init: 50,", "restarts: {method: kmeans, n_init: 60,")
    jobs(project, cluster=1, score=1, study_table=1, figure_table=2, figure=2, **COMPARED)


def test_a_cell_beside_the_axes_makes_itself(project):
    line = "    baseline: {clusterer: by_k}\n    figures:\n      accuracy: {kind: sensitivity, x: k}"
    project.edit(CONFIG, line, line.replace("    figures:", "    cells: [{n_components: 3}]\n    figures:"))
    # The curve against k shows the study's cells, the confusion matrix its baseline.
    jobs(project, cluster=1, score=1, study_table=1, figure_table=1, figure=1, **COMPARED)


@pytest.mark.skipif(not kernels(), reason="k-means was installed without a C compiler")
def test_what_was_made_without_a_kernel_is_made_again_with_one(project, monkeypatch):
    made = "results/small/clusters/clahe/squeezenet/fire9_avg/pca10/kmeans.h5"
    of_kernel = (project.folder / made).read_bytes()
    with h5py.File(project.folder / made) as file:
        assert text(file, "kmeans_path") == next(iter(kernels()))
        inertia = file["k=4/inertia"][:]

    with monkeypatch.context() as without:
        without.setenv(VARIABLE, "torch")
        assert project.jobs(made) == {"cluster": 1}
        slow = "k-means ran on the slow path (no compiled kernel) in 1 job: CLUSTERGRID_KMEANS is torch"
        assert slow in project.run(made)
        with h5py.File(project.folder / made) as file:
            assert text(file, "kmeans_path") == "torch"
            np.testing.assert_allclose(file["k=4/inertia"][:], inertia, rtol=1e-9)

    assert project.jobs(made) == {"cluster": 1}
    assert "slow path" not in project.run(made)
    assert (project.folder / made).read_bytes() == of_kernel


def test_an_inset_makes_its_figure(project):
    project.edit(CONFIG, "insets: [grass]", "insets: [grass, brick]")
    jobs(project, figure_table=1, figure=1)


def test_backbones_without_weights_are_left_out_and_the_plan_says_so(tmp_path, fresh):
    project = fresh.copy(tmp_path / "project")
    study = ("--configfile", "config/studies/cohn-squeezenet.yaml", "--config", "data=pictures")
    without = project.snakemake("-n", *study)
    left_out = "study layers: 5 combinations left out: vgg16 has no weights; --config weights=FILE gives them"
    assert left_out in without.stderr
    planned_without = planned_jobs(without)
    assert planned_without["features_squeezenet_0"] == 2
    assert not any("vgg16" in rule for rule in planned_without)
    (project.folder / "vgg16.h5").touch()
    planned = project.jobs(*study, "weights=vgg16.h5")
    assert planned["features_vgg16_0"] == 1
    assert planned["cluster"] == planned_without["cluster"] + 5
