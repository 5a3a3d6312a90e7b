"""Fetches a backbone's weights, or finds them, and writes down which file they are and its SHA-256."""

import json

from snakemake.script import Snakemake

from workflow_scripts.backbones import weights
from workflow_scripts.io.store import replacing
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    found = weights.fetch(snakemake.params.backbone)
    log.info("%s", found)
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
