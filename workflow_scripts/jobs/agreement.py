"""Compute the agreement (adjusted Rand index) of each pair of cells of a study and write it as an HDF5 store."""

from snakemake.script import Snakemake

from workflow_scripts.figures.partitions import agreement_of
from workflow_scripts.io.agreement import write_agreement
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params = snakemake.params
    agreement, n_images = agreement_of(params.cells, snakemake.input.clusters, params.k)
    attributes = {"settings": {"k": params.k}, "code": params.code}
    write_agreement(snakemake.output[0], params.cells, agreement, n_images, attributes)
