"""Draw a figure from its table; write it as SVG and PNG."""

from importlib import import_module

from snakemake.script import Snakemake

from workflow_scripts.figures.saving import save
from workflow_scripts.io.tables import read_parquet
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    figure = snakemake.params.figure
    draw = import_module(f"workflow_scripts.figures.{figure['kind']}").draw
    table = read_parquet(snakemake.input.table)
    inputs = {name: snakemake.input[name] for name in ("manifest", "classes")}
    inputs |= {name: list(snakemake.input[name]) for name in ("preprocessed", "subsets")}
    drawn = draw(table, figure, inputs, snakemake.params.style)
    save(drawn, snakemake.output.svg, snakemake.output.png, snakemake.params.style)
