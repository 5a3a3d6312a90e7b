"""Score every clustering of a cell, as a whole and by class; write two tables."""

from snakemake.script import Snakemake

from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.tables import write_arrow
from workflow_scripts.metrics.table import score_clusters
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    scores, classes = score_clusters(OneCell(snakemake.params.cell, dict(snakemake.input.items())))
    write_arrow(scores, snakemake.output.scores)
    write_arrow(classes, snakemake.output.classes)
