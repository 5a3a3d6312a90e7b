"""Train a network on labelled images; write its weights, its learning curves and its predictions for all images."""

from pathlib import Path

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.backbones.calibration import in_words, reliability
from workflow_scripts.backbones.finetune import finetune
from workflow_scripts.io import store
from workflow_scripts.io.manifest import groups_of, read_manifest
from workflow_scripts.io.tables import write_csv
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log, store.reading(snakemake.input.images) as stack:
    manifest = read_manifest(snakemake.input.manifest, store.text(stack, "manifest"))
    curves, predicted = finetune(
        stack["images"],
        list(store.image_ids(stack)),
        list(manifest["label"].fillna("")),
        snakemake.params.backbone,
        snakemake.params.finetune,
        Path(snakemake.output.weights),
        device=snakemake.params.device,
        workers=snakemake.threads,
        report=progress(f"finetune {snakemake.wildcards.backbone}", "epochs"),
        groups=groups_of(manifest),
    )
    reliable = reliability(predicted)
    log.log(NOTICE, "%s: %s", snakemake.wildcards.backbone, in_words(predicted, reliable))
    write_csv(curves, snakemake.output.curves)
    write_csv(reliable, snakemake.output.calibration)
    write_csv(pd.concat([manifest[["image_id", "path"]], predicted], axis=1), snakemake.output.predictions)
