"""Join the feature stores of several layers of a network."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.joined import join
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    join(list(snakemake.input.parts), snakemake.params.layer, Path(snakemake.output[0]), snakemake.params.code)
