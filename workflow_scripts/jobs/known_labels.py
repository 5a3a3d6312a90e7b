"""Read a folder of labelled images; write known_labels.csv with the content digest and the label of each."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.intake.facts import Facts, remembering
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.known import ID_DIGITS, KNOWN_COLUMNS
from workflow_scripts.intake.labels import classes_in_words, label_images
from workflow_scripts.intake.listing import scan
from workflow_scripts.io.tables import write_csv
from workflow_scripts.provenance import digest
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    folder, max_pixels = snakemake.params.folder, snakemake.params.max_pixels
    entries = scan(folder)
    made_from = digest([snakemake.params.code, max_pixels])
    with remembering(snakemake.params.facts, made_from, entries, Facts) as memory:
        labelled = inspect(
            folder,
            entries,
            duplicates="keep",
            max_pixels=max_pixels,
            workers=snakemake.threads,
            memory=memory,
            progress=progress("known labels", "files"),
        )
    for line in labelled.notes:
        log.info(line)
    images = labelled.images
    contents = dict(zip(images["path"], images["image_id"].str[:ID_DIGITS], strict=True))
    labels = label_images(contents, "folder", level=snakemake.params.level)
    log.info("labels: %s (%s)", labels.rule, classes_in_words(labels.labels))
    table = images.assign(sha256=images["path"].map(contents), label=images["path"].map(labels.labels))
    write_csv(pd.DataFrame(table.loc[table["label"] != "", list(KNOWN_COLUMNS)]), snakemake.output[0])
