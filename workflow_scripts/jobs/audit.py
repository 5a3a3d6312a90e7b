"""Clusterings and labels -> the ranked list of labels to look at again, and the page to decide on them."""

from snakemake.script import Snakemake

from workflow_scripts.figures.artefacts import read_manifest
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.tables import read_labels, write_csv
from workflow_scripts.pages.audit.ranking import COLUMNS, rank, read_partitions
from workflow_scripts.pages.audit.sheet import write_sheet
from workflow_scripts.pages.gallery.pictures import Pictures
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log, store.reading(snakemake.input.pictures) as stack:
    params, source = snakemake.params, snakemake.input
    (cell,), settings = params.cells, params.page
    points = read_points(source.points[0], cell["n_components"], cell["whiten"])
    labels = read_labels(source.manifest[0], points.manifest)
    if points.trained_on is not None:  # the network has learned these labels, right or wrong
        labels[points.trained_on] = ""
    partitions = read_partitions(source.clusters[0], settings["k"], points.manifest)
    manifest = read_manifest(source.manifest[0])
    ranking = rank(points.values, partitions, labels, settings["neighbours"])
    ranking = ranking.join(manifest[["image_id", "path"]], on="row")
    log.info(f"{ranking['suspect'].sum()} of {len(ranking)} labels are suspect")
    write_csv(ranking[COLUMNS], snakemake.output.csv)
    write_sheet(
        snakemake.output.sheet,
        ranking,
        settings["shown"],
        points.values,
        Pictures(stack["images"], dict(zip(manifest["image_id"], manifest["row"], strict=True))),
        {**params.names, "neighbours": settings["neighbours"], "repeats": len(partitions)},
    )
