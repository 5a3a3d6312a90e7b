"""Compute the consensus of a study's cells; write it as a store of clusters and as a CSV table."""

from snakemake.script import Snakemake

from workflow_scripts.consensus.study import consensus_of, write_consensus
from workflow_scripts.figures.partitions import read_partitions
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.tables import write_csv
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    params, source = snakemake.params, snakemake.input
    manifest = read_manifest(source.manifest)
    partitions = read_partitions(params.cells, source.clusters, params.settings["k"])
    agreement, _ = read_agreement(source.agreement, params.cells)
    consensus = consensus_of(partitions.best, partitions.choices, manifest, params.settings["groups"], agreement)
    log.info("%d groups (%s) of %d cells", consensus.k, consensus.chosen_k, len(partitions.best))
    write_consensus(snakemake.output.store, consensus, {"settings": params.settings, "code": params.code})
    write_csv(consensus.table, snakemake.output.csv)
