"""Read the scale of each image of images.csv; write scale_bars.csv with the scale, or the reason why there is none."""

from snakemake.script import Snakemake

from workflow_scripts.intake.facts import remembering
from workflow_scripts.intake.scale_bars.read import Reading
from workflow_scripts.intake.scale_bars.table import corrected, files_of, notes, read_by_hand, read_scales
from workflow_scripts.io.memory import reading_processes
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.provenance import digest
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    images = read_csv(snakemake.input.images)
    folder, max_pixels = snakemake.params.folder, snakemake.params.max_pixels
    made_from = digest([snakemake.params.code, max_pixels])
    with remembering(snakemake.params.facts, made_from, files_of(images, folder), Reading) as memory:
        log.info("%d of %d images are known from an earlier run", len(memory.known), len(images))
        table = read_scales(
            images,
            folder,
            max_pixels=max_pixels,
            workers=reading_processes(snakemake.threads, images.to_dict("records"), snakemake.resources.mem_mb),
            memory=memory,
            progress=progress("scale bars", "images"),
        )
    table = corrected(table, images, read_by_hand(snakemake.input.corrections, images))
    page = snakemake.params.get("page")
    log.log(NOTICE, f"scales: {'; '.join(notes(table))}" + (f"; check and correct them: {page}" if page else ""))
    write_csv(table, snakemake.output[0])
