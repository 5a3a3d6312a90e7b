"""Write the front page of all results: a copy of the verdict page of the first study that has one."""

from snakemake.script import Snakemake

from workflow_scripts.pages.verdict.page import write_front_page
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    write_front_page(snakemake.input[0], snakemake.output[0])
