"""Raw folder -> images.csv and set_aside.csv."""

from snakemake.script import Snakemake

from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.runlog import job, progress
from workflow_scripts.tables import write_csv

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    settings = snakemake.params.intake
    inspection = inspect(
        snakemake.params.folder,
        scan(snakemake.params.folder, settings["include"], settings["exclude"]),
        duplicates=settings["duplicates"],
        min_size=settings["min_size"],
        max_pixels=settings["max_pixels"],
        workers=snakemake.threads,
        progress=progress("intake", "files"),
    )
    for line in inspection.notes:
        log.info(line)
    write_csv(inspection.images, snakemake.output.images)
    write_csv(inspection.set_aside, snakemake.output.set_aside)
