"""Train a network on labelled images; write its weights and its learning curves."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.finetune import finetune
from workflow_scripts.io import store
from workflow_scripts.io.manifest import groups_of, read_labels, read_manifest
from workflow_scripts.io.tables import write_csv
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    labels = read_labels(snakemake.input.manifest, store.text(stack, "manifest"))
    curves = finetune(
        stack["images"],
        list(store.image_ids(stack)),
        list(labels),
        snakemake.params.backbone,
        snakemake.params.finetune,
        Path(snakemake.output.weights),
        device=snakemake.params.device,
        workers=snakemake.threads,
        report=progress(f"finetune {snakemake.wildcards.backbone}", "epochs"),
        groups=groups_of(read_manifest(snakemake.input.manifest)),
    )
    write_csv(curves, snakemake.output.curves)
