"""Raw folder -> manifest.csv and rejected.csv."""

from snakemake.script import Snakemake

from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.manifest import take_in
from workflow_scripts.runlog import job, progress
from workflow_scripts.store import replacing

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    settings = snakemake.params.intake
    taken = take_in(
        snakemake.params.folder,
        scan(snakemake.params.folder, settings["include"], settings["exclude"]),
        settings["labels"],
        duplicates=settings["duplicates"],
        min_size=settings["min_size"],
        max_pixels=settings["max_pixels"],
        workers=snakemake.threads,
        progress=progress("intake", "files"),
    )
    for line in taken.notes:
        log.info(line)
    for table, path in ((taken.manifest, snakemake.output.manifest), (taken.rejected, snakemake.output.rejected)):
        with replacing(path) as temporary:
            table.to_csv(temporary, index=False)
