"""Join the feature stores of several layers of a network, or of several backbones."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.joined import join_backbones, join_layers
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params, parts, output = snakemake.params, list(snakemake.input.parts), Path(snakemake.output[0])
    if params.backbones:
        join_backbones(dict(zip(params.backbones, parts, strict=True)), params.layer, output, params.code)
    else:
        join_layers(parts, params.layer, output, params.code)
