"""Read the raw folder; write images.csv, set_aside.csv, near_duplicates.csv, formats.csv and quality.csv."""

from snakemake.script import Snakemake

from workflow_scripts.intake.facts import Facts, remembering
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.io.tables import write_csv
from workflow_scripts.provenance import digest
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    settings = snakemake.params.intake
    limits = {name: settings[name] for name in ("min_size", "max_pixels")}
    entries = scan(snakemake.params.folder, settings["include"], settings["exclude"])
    with remembering(snakemake.params.facts, digest([snakemake.params.code, limits]), entries, Facts) as memory:
        log.info("%d of %d files are known from an earlier run", len(memory.known), len(entries))
        inspection = inspect(
            snakemake.params.folder,
            entries,
            duplicates=settings["duplicates"],
            visual_duplicates=settings["visual_duplicates"],
            near_distance=settings["near_distance"],
            masks=settings["masks"],
            pages=settings["pages"],
            **limits,
            excluded=snakemake.input.get("excluded", ()),  # new images have none
            workers=snakemake.threads,
            memory=memory,
            progress=progress("intake", "files"),
        )
    for line in inspection.notes:
        log.log(NOTICE, line)
    for table, path in snakemake.output.items():
        write_csv(getattr(inspection, table), path)
