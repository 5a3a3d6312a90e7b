"""Write the explorer, a page with a map of all images and with their clusters in every cell."""

from snakemake.script import Snakemake

from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import AS_THEY_ARE, read_csv, read_parquet
from workflow_scripts.pages.explorer.opening import choose_opening
from workflow_scripts.pages.explorer.page import write_explorer
from workflow_scripts.pages.explorer.study import ShownStudy
from workflow_scripts.pages.parts.earlier import labels_before, set_aside_before
from workflow_scripts.pages.parts.imagenet import imagenet_names
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]), store.reading(snakemake.input.images) as stack:
    params, source = snakemake.params, snakemake.input
    files = {"manifest": source.manifest, "points": source.points, "clusters": source.clusters}
    study = ShownStudy.of(OneCell.each(params.cells, files))
    maps = [OneCell(cell, {"map": path}) for cell, path in zip(params.maps, source.maps, strict=True)]
    quality = read_csv(source.quality, **AS_THEY_ARE)
    consensus, audit = (read_csv(table, **AS_THEY_ARE) if table else None for table in (source.consensus, source.audit))
    opening = choose_opening(params.cells, ranking=next(map(read_parquet, source.trust), None), **params.opening)
    columns = study.clusterings(params.page["k"]) + study.facts(quality, consensus, audit)
    columns += [study.seen(imagenet_names(path)) for path in source.class_scores]
    by_hand = read_csv(source.by_hand)
    before = {"labels_before": labels_before(by_hand), "set_aside_before": set_aside_before(by_hand)}
    write_explorer(
        snakemake.output[0],
        study.images,
        columns + study.outlierness(opening.cell),
        *study.places(maps, opening),
        Thumbnails.of(stack, study.images),
        {**params.names, "cells": study.names, "opening": vars(opening), "settings": params.settings, **before},
    )
