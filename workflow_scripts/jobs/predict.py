"""Predict the clusters of new images with saved models; write one table for each model."""

from snakemake.script import Snakemake

from workflow_scripts.intake.manifest import REGION_COLUMNS
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.models.predicting import predict_images
from workflow_scripts.models.saved import load_model
from workflow_scripts.preprocess.stack import images_of, processes_for
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    source, params = snakemake.input, snakemake.params
    images = read_csv(source.images)
    place = [*REGION_COLUMNS, "width", "height"] if "parent" in images else []
    files = zip(params.studies, source.facts, source.tensors, strict=True)
    tables = predict_images(
        {study: load_model(facts, tensors) for study, facts, tensors in files},
        images_of(images, params.folder),
        params.max_pixels,
        params.device,
        processes_for(images, snakemake.threads),
        lambda network: progress(f"predict {network}", "images"),
    )
    for study, path in zip(params.studies, snakemake.output, strict=True):
        table = tables[study]
        log.info("%s: %d of %d are outliers", study, table["outlier"].sum(), len(table))
        write_csv(images[["image_id", "path", *place]].join(table), path)
