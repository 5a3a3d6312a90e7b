"""Write the features of a subset of the images, selected from the features of all images."""

from snakemake.script import Snakemake

from workflow_scripts.intake.subsets import select
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    select(snakemake.input.features, snakemake.input.manifest, snakemake.output[0], snakemake.params.code)
