"""Write scales/scales.html, the page to check the scale of each image beside its bar and to correct it."""

from snakemake.script import Snakemake

from workflow_scripts.intake.scale_bars.table import read_by_hand
from workflow_scripts.io.memory import reading_processes
from workflow_scripts.io.tables import AS_THEY_ARE, read_csv
from workflow_scripts.pages.scales.page import write_scales_page
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]):
    params, scales = snakemake.params, read_csv(snakemake.input.scales, **AS_THEY_ARE)
    images = read_csv(snakemake.input.images).to_dict("records")
    write_scales_page(
        snakemake.output[0],
        scales,
        read_by_hand(snakemake.input.corrections, scales),
        params.folder,
        params.dataset,
        max_pixels=params.max_pixels,
        workers=reading_processes(snakemake.threads, images, snakemake.resources.mem_mb),
        progress=progress("scales page", "images"),
    )
