"""Write the areas of the clusters in new images that were cut into tiles, and each image with its clusters drawn over
it."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.figures.area_fractions import areas_of
from workflow_scripts.figures.new_images import read_tiles, write_overlays
from workflow_scripts.io.tables import write_csv
from workflow_scripts.models.saved import load_model
from workflow_scripts.runlog import job, progress

snakemake: Snakemake
CONFIDENCE = 0.95

with job(snakemake.log[0]):
    source, params = snakemake.input, snakemake.params
    clusters = load_model(source.facts, source.tensors).clusters
    tiles = read_tiles(source.predictions)
    areas = areas_of(tiles, clusters, CONFIDENCE)
    write_csv(areas, snakemake.output.areas)
    write_overlays(
        Path(snakemake.output.overlays),
        tiles,
        areas,
        clusters,
        source.manifest,
        Path(params.folder),
        params.max_pixels,
        params.style,
        progress("overlays", "images"),
    )
