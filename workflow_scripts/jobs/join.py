"""Join the feature stores of several layers of a network, or of several backbones."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.joined import join
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params = snakemake.params
    join(list(snakemake.input.parts), params.layer, Path(snakemake.output[0]), params.code, params.backbones)
