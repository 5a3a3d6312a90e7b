"""Clusterings and labels -> a row of metrics for each clustering, and for each class."""

from snakemake.script import Snakemake

from workflow_scripts.io.tables import write_parquet
from workflow_scripts.metrics.table import score_clusters
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    source = snakemake.input
    scores, classes = score_clusters(source.clusters, source.points, source.manifest, snakemake.params.cell)
    write_parquet(scores, snakemake.output.scores)
    write_parquet(classes, snakemake.output.classes)
