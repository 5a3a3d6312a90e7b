"""Write manifest.csv and rejected.csv from images.csv, set_aside.csv, and the labels and scales if there are any."""

from functools import partial

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.intake.manifest import label
from workflow_scripts.io.tables import write_csv
from workflow_scripts.runlog import NOTICE, job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    read = partial(pd.read_csv, dtype=str, keep_default_na=False)
    images, set_aside = read(snakemake.input.images), pd.concat(map(read, snakemake.input.set_aside))
    rule = {**snakemake.params.labels, "file": snakemake.input.table or snakemake.params.labels["file"]}
    scales = read(snakemake.input.scales) if snakemake.input.scales else None
    labelled = label(images, set_aside, rule, snakemake.input.corrections or None, snakemake.params.sublabels, scales)
    for line in labelled.notes:
        log.log(NOTICE, line)
    for table, path in snakemake.output.items():
        write_csv(getattr(labelled, table), path)
