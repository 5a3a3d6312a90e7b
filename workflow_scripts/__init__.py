"""Clustergrid: the code that the workflow's rules run; it can be imported without Snakemake."""

VERSION = "0.2.0"
