"""Join the stores of the shards of a forward pass to one feature store for each layer."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.joined_shards import join_shards
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    parts, outputs = snakemake.input.shards, snakemake.output
    for number, output in enumerate(outputs):
        join_shards(parts[number :: len(outputs)], Path(output))
