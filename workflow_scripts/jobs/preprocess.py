"""Preprocess the images of images.csv with one variant; write an HDF5 stack."""

from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_csv
from workflow_scripts.preprocess.stack import enlargement, write_stack
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    if note := enlargement(read_csv(snakemake.input.images), snakemake.params.steps):
        log.log(NOTICE, note)
    write_stack(
        snakemake.output[0],
        table=snakemake.input.images,
        folder=snakemake.params.folder,
        max_pixels=snakemake.params.max_pixels,
        steps=snakemake.params.steps,
        code=snakemake.params.code,
        workers=snakemake.threads,
        progress=progress(f"preprocess {snakemake.wildcards.preprocess}", "images"),
    )
