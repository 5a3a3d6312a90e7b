"""Cross-validate a cell; write the scores by fold and by class."""

from importlib import import_module

from snakemake.script import Snakemake

from workflow_scripts.io import store
from workflow_scripts.io.manifest import groups_of, read_labels, read_manifest
from workflow_scripts.io.tables import write_arrow
from workflow_scripts.metrics.cross_validation import Model, cross_validate
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.features) as file:
    params, cell = snakemake.params, snakemake.params.cell
    model = Model(
        n_components=cell["n_components"],
        whiten=cell["whiten"],
        max_components=params.decomposition["max_components"],
        scale=params.decomposition["scale"],
        cluster=import_module(f"workflow_scripts.clusterers.{params.clusterer['method']}").cluster,
        clusterer=params.clusterer,
    )
    labels = read_labels(snakemake.input.manifest, store.text(file, "manifest"), store.trained_on(file))
    report = progress(f"validate {cell['reducer']}/{cell['clusterer']}", "folds")
    scores, classes = cross_validate(
        file["features"], labels, model, params.cross_validation, cell, params.seed, snakemake.threads, report,
        groups_of(read_manifest(snakemake.input.manifest)),
    )  # fmt: skip
    write_arrow(scores, snakemake.output.scores)
    write_arrow(classes, snakemake.output.classes)
