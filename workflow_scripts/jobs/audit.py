"""Write the table of doubtful labels, ranked, and the page on which people decide about them."""

from snakemake.script import Snakemake

from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import groups_of
from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.io.which_k import choose_k
from workflow_scripts.pages.audit.ranking import COLUMNS, partitions_of, rank
from workflow_scripts.pages.audit.sheet import write_sheet
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log, store.reading(snakemake.input.images) as stack:
    params, source = snakemake.params, snakemake.input
    files = {"manifest": source.manifest, "points": source.points, "clusters": source.clusters}
    cell, settings = OneCell.first(params.cells, files), params.page
    points, manifest = cell.points(), cell.manifest()
    runs = cell.runs(points.manifest)
    partitions = partitions_of(runs[choose_k(settings["k"], runs, "pages: audit: k")])
    ranking = rank(points.values, partitions, cell.labels(), settings["neighbours"], groups_of(manifest))
    ranking = ranking.join(manifest[["image_id", "path"]], on="row")
    log.info(f"{ranking['suspect'].sum()} of {len(ranking)} labels are suspect")
    write_csv(ranking[COLUMNS], snakemake.output.csv)
    write_sheet(
        snakemake.output.sheet,
        ranking,
        settings["shown"],
        points.values,
        read_csv(source.by_hand),
        Thumbnails.of(stack, manifest),
        {**params.names, "neighbours": settings["neighbours"], "repeats": len(partitions)},
    )
