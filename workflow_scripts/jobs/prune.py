"""List or delete the results that the configuration does not use any more."""

from snakemake.script import Snakemake

from workflow_scripts.planning.prune import prune
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    prune(snakemake.params.root, snakemake.params.wanted, snakemake.params.delete)
