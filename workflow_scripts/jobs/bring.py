"""Write a feature store from a table of features that the user brings."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.backbones.brought import bring
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    settings = snakemake.params.backbone
    attributes = {"code": snakemake.params.code, "settings": {"backbone": settings}, "backbone": settings}
    bring(snakemake.input.table, snakemake.input.manifest, Path(snakemake.output[0]), attributes)
