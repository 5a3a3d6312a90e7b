"""Find or download the weights of a backbone, and write a JSON file with their origin and the SHA-256 of the file."""

import json

from snakemake.script import Snakemake

from workflow_scripts.backbones import weights
from workflow_scripts.io.files import replacing
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    origin = weights.fetch(snakemake.params.backbone)
    log.info("%s", origin)
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text(json.dumps(origin, indent=2, sort_keys=True) + "\n")
