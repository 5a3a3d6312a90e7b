"""Clusterings and pictures -> a page of what is in each cluster of each cell."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.figures.artefacts import best_clusterings, read_manifest
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.pages.gallery.page import describe, write_gallery
from workflow_scripts.pages.gallery.pictures import Pictures
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.pictures) as stack:
    params, source = snakemake.params, snakemake.input
    described, manifests = [], [read_manifest(path) for path in source.manifest]
    names = cell_names(params.cells, [*AXES])
    for cell, name, manifest, path, clusters in zip(
        params.cells, names, manifests, source.points, source.clusters, strict=True
    ):
        points = read_points(path, cell["n_components"], cell["whiten"]).values
        partitions = [
            {"k": its.k, **describe(points, its.labels, manifest, params.page)}
            for its in best_clusterings(clusters, params.page["k"])
        ]
        described.append({"name": name, "partitions": partitions})
    images = pd.concat(manifests, ignore_index=True)
    pictures = Pictures(stack["images"], dict(zip(images["image_id"], images["row"], strict=True)))
    write_gallery(snakemake.output[0], described, images, pictures, params.names)
