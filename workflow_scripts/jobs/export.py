"""Write features as a table for other programs."""

from snakemake.script import Snakemake

from workflow_scripts.backbones.exported import export
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    export(snakemake.input.features, snakemake.input.manifest, snakemake.output[0])
