"""Decompose features, or compute a two-dimensional map of a decomposition."""

from importlib import import_module

from snakemake.script import Snakemake

from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]):
    settings = dict(snakemake.params.decomposition)
    decompose = import_module(f"workflow_scripts.reduce.{settings['method']}").decompose
    decompose(
        snakemake.input[0],
        snakemake.output[0],
        settings,
        snakemake.params.code,
        progress(f"decompose {snakemake.wildcards.layer}", "images"),
    )
