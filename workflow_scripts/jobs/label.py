"""images.csv, set_aside.csv and a table of labels, if there is one -> manifest.csv and rejected.csv."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.intake.manifest import label
from workflow_scripts.runlog import job
from workflow_scripts.tables import write_csv

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    images, set_aside = (
        pd.read_csv(table, dtype=str, keep_default_na=False)
        for table in (snakemake.input.images, snakemake.input.set_aside)
    )
    rule = {**snakemake.params.labels, "file": snakemake.input.table or None}
    labelled = label(images, set_aside, rule, snakemake.input.corrections or None, snakemake.params.sublabels)
    for line in labelled.notes:
        log.info(line)
    for table, path in snakemake.output.items():
        write_csv(getattr(labelled, table), path)
