"""Write the manifest of a subset: the rows of the data set's manifest that meet the subset's conditions."""

from snakemake.script import Snakemake

from workflow_scripts.intake.subsets import members
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    manifest = read_csv(snakemake.input.manifest)
    source, name = snakemake.input, snakemake.wildcards.subset
    subset = members(manifest, snakemake.params.subset, name, source.clusters or None, source.table or None)
    log.info(f"{len(subset)} of {len(manifest)} images")
    write_csv(subset, snakemake.output[0])
