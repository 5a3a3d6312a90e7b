"""Predict the clusters of new images with saved models; write one table for each model."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.models.naming import predict_images
from workflow_scripts.models.saved import load_model
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    source, params = snakemake.input, snakemake.params
    images = read_csv(source.images)[["image_id", "path"]]
    files = zip(params.studies, source.facts, source.tensors, strict=True)
    tables = predict_images(
        {study: load_model(facts, tensors) for study, facts, tensors in files},
        [Path(params.folder) / path for path in images["path"]],
        params.max_pixels,
        params.device,
        snakemake.threads,
        lambda network: progress(f"predict {network}", "images"),
    )
    for study, path in zip(params.studies, snakemake.output, strict=True):
        table = tables[study]
        log.info("%s: %d of %d are outliers", study, table["outlier"].sum(), len(table))
        write_csv(images.join(table), path)
