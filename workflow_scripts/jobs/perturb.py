"""Perturb images; write the groups of the original images and of their perturbed versions."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.tables import write_csv
from workflow_scripts.models.perturbing import perturbed_groups
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    params = snakemake.params
    table = perturbed_groups(
        dict(snakemake.input.items()),
        params.cell,
        params.settings,
        Path(params.folder),
        n_images=params.figure["n_images"],
        seed=params.figure["seed"],
        max_pixels=params.max_pixels,
        device=params.device,
        workers=snakemake.threads,
        progress=progress("perturb", "images"),
    )
    log.info("%d images", table["image_id"].nunique())
    write_csv(table, snakemake.output[0])
