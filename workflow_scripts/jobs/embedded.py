"""Write the embedded data set."""

from snakemake.script import Snakemake

from workflow_scripts.intake.embedded import write_embedded
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    write_embedded(snakemake.output[0])
