"""Write the images of the embedded data set, crops of photographs in a folder for each class."""

from snakemake.script import Snakemake

from workflow_scripts.intake.embedded import write_embedded
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    write_embedded(snakemake.output[0])
