"""Write manifest.csv (the images with their labels), rejected.csv, the summary of intake, and the decisions made by
hand."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.intake.manifest import label
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.runlog import NOTICE, job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    images, set_aside = read_csv(snakemake.input.images), pd.concat(map(read_csv, snakemake.input.set_aside))
    rule = {**snakemake.params.labels, "file": snakemake.input.table or snakemake.params.labels["file"]}
    scales = read_csv(snakemake.input.scales) if snakemake.input.scales else None
    labelled = label(
        images,
        set_aside,
        rule,
        corrections=snakemake.input.corrections,
        excluded=snakemake.input.excluded,
        sublabels=snakemake.params.sublabels,
        scales=scales,
        groups=snakemake.params.groups,
        look_alikes=read_csv(snakemake.input.look_alikes) if snakemake.input.look_alikes else None,
    )
    for line in labelled.notes:
        log.log(NOTICE, line)
    for table, path in snakemake.output.items():
        write_csv(getattr(labelled, table), path)
