"""Compute the table of one figure from the artefacts of a study."""

from importlib import import_module

from snakemake.script import Snakemake

from workflow_scripts.io.tables import write_csv, write_parquet
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    figure = snakemake.params.figure
    inputs = {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in snakemake.input.items()}
    tabulate = import_module(f"workflow_scripts.figures.{figure['kind']}").tabulate
    table = tabulate(figure, snakemake.params.cells, inputs)
    write_parquet(table, snakemake.output.parquet)
    write_csv(table, snakemake.output.csv)
