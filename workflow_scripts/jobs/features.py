"""Run a network over a stack of images and write one feature store for each layer."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.extract import extract
from workflow_scripts.backbones.shards import WHOLE
from workflow_scripts.io import store
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    backbone = snakemake.params.backbone
    # The provenance includes the preprocessing: a partial file that was made with other settings is not resumed.
    manifest = store.text(stack, "manifest")
    images = {"settings": store.attribute(stack, "settings"), "code": store.text(stack, "code")}
    extract(
        stack["images"],
        list(store.image_ids(stack)),
        backbone,
        {layer: Path(path) for layer, path in zip(snakemake.params.layers, snakemake.output, strict=True)},
        store.provenance(snakemake.params.code, manifest, {"backbone": backbone, "images": images}),
        device=snakemake.params.device,
        workers=snakemake.threads,
        report=progress(f"features {snakemake.wildcards.preprocess}/{backbone['model']}", "images"),
        shard=snakemake.wildcards.get("shard", WHOLE),
    )
