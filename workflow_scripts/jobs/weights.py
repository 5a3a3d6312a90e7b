"""Fetch or find the weights of a backbone; write a JSON file that says which file they are, with its SHA-256."""

import json

from snakemake.script import Snakemake

from workflow_scripts.backbones import weights
from workflow_scripts.io.store import replacing
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    origin = weights.fetch(snakemake.params.backbone)
    log.info("%s", origin)
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text(json.dumps(origin, indent=2, sort_keys=True) + "\n")
