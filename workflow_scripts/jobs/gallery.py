"""Write the gallery: a page with the images of each cluster of each cell."""

import pandas as pd
from snakemake.script import Snakemake

from workflow_scripts.grid.axes import AXES, EVERYTHING
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.pages.gallery.page import describe, write_gallery
from workflow_scripts.pages.parts.imagenet import imagenet_names
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    params, source = snakemake.params, snakemake.input
    files = {"manifest": source.manifest, "points": source.points, "clusters": source.clusters}
    seen = {path: imagenet_names(path) for path in source.class_scores}
    described, manifests = [], []
    everything = all(cell["subset"] == EVERYTHING for cell in params.cells)
    names = cell_names(params.cells, [axis for axis in AXES if axis != "subset" or not everything])
    for name, cell, path in zip(names, OneCell.each(params.cells, files), params.class_scores, strict=True):
        points, manifest = cell.points().values, cell.manifest()
        names_seen = seen[path][manifest["row"]] if path else None
        partitions = [
            {"k": best.k, **describe(points, best.labels, manifest, params.page, names_seen)}
            for best in cell.clusterings(params.page["k"])
        ]
        described.append({"name": name, "partitions": partitions})
        manifests.append(manifest)
    images = pd.concat(manifests, ignore_index=True)
    write_gallery(snakemake.output[0], described, images, Thumbnails.of(stack, images), params.names)
