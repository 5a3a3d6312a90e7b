"""Compute the features of a descriptor for a stack of images; write a feature store."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.descriptors import describe_all
from workflow_scripts.io import store
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    settings = snakemake.params.backbone
    images = {"settings": store.attribute(stack, "settings"), "code": store.text(stack, "code")}
    describe_all(
        stack["images"],
        list(store.image_ids(stack)),
        settings,
        Path(snakemake.output[0]),
        store.provenance(
            snakemake.params.code, store.text(stack, "manifest"), {"backbone": settings, "images": images}
        ),
        workers=snakemake.threads,
        report=progress(f"features {snakemake.wildcards.preprocess}/{settings['descriptor']}", "images"),
    )
