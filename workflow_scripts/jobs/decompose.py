"""Decompose features, or compute a map from the components of another decomposition; write a store."""

from contextlib import ExitStack
from importlib import import_module

from snakemake.script import Snakemake

from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]), ExitStack() as stack:
    settings = dict(snakemake.params.decomposition)
    source = snakemake.input.source
    if settings.get("regress_out"):
        from workflow_scripts.reduce.residuals import regressed_out  # imports pandas, which other jobs do without

        files = dict(snakemake.input.items())
        source = stack.enter_context(regressed_out(files, settings["regress_out"], snakemake.output[0]))
    decompose = import_module(f"workflow_scripts.reduce.{settings['method']}").decompose
    decompose(
        source,
        snakemake.output[0],
        settings,
        snakemake.params.code,
        progress(f"decompose {snakemake.wildcards.layer}", "images"),
    )
