"""Write the table of images to label next, in the order in which labels help most, and the page to label them."""

from snakemake.script import Snakemake

from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.metrics.members import cluster_names
from workflow_scripts.pages.labelling.order import asked_table, order_to_label
from workflow_scripts.pages.labelling.page import write_labelling_page
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log, store.reading(snakemake.input.images) as stack:
    params, source = snakemake.params, snakemake.input
    files = {"manifest": source.manifest, "points": source.points, "clusters": source.clusters}
    cell, settings = OneCell.first(params.cells, files), params.page
    points, partition, images = cell.points().values, cell.clustering(settings).labels, cell.manifest()
    labelled = images["label"].notna().to_numpy()
    asked = order_to_label(points, partition, labelled, settings["shown"])
    log.info(f"{labelled.sum()} of {len(images)} images have a label; {len(asked)} to label next")
    names = cluster_names(partition, images["label"])
    write_csv(asked_table(images, asked, names), snakemake.output.csv)
    write_labelling_page(
        snakemake.output.page,
        asked,
        images,
        points,
        partition,
        names,
        read_csv(source.by_hand),
        Thumbnails.of(stack, images),
        params.names,
    )
